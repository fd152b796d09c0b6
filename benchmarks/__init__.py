"""What the product costs beside PostgreSQL itself: ratios in one run, on one machine."""
