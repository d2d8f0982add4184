"""What is looked at of disks: room, what their filesystems can do, and what lies about on them."""
