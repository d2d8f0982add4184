"""What is looked at of kernelspecs, ours and everybody's, and what can be done about them."""
