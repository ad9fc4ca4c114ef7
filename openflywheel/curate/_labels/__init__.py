"""What labels are worth: which are likely wrong, and how far each labeller can be trusted."""
