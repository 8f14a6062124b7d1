"""Pages for staff: Django's admin with Unfold, as a reader of the business tables."""
