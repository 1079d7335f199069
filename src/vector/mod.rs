//! Geometries and features.
