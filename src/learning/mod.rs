//! Learning: labelled places as chips, networks, their training, and measures of what they map.
