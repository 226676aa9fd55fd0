"""Each trigger turns its own event into a Call and a Result into its own answer."""
