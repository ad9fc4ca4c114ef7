"""What stands behind the gateway: providers, with their queues, breakers, retries and fallbacks."""
