"""Letters to people: one template each, and the way to the operator's mail server."""
