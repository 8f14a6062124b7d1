"""What decides about endpoints, bodies, signatures and attempts."""
