"""Webhooks: customers' endpoints, and what is delivered to them."""
