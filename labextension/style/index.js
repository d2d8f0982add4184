// Styles come with what they are of: none is loaded before it is used.
