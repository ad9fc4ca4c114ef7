"""The retriever's machinery: pairs, negatives, tuning, joining."""
