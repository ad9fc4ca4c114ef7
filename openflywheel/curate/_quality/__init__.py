"""Rules that tell prose from what the web is full of: published filters, on one token pass for all."""
