//! Figures: maps, charts, and pictures in the terminal.
