"""The recommender's machinery: choices, factors, what is held out to join them."""
