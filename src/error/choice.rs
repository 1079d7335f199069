//! Parameters that are one of a few names.

/// An enumeration whose values scripts and descriptions write as names.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value and its name, in the order in which they are listed.
    const ALL: &'static [(&'static str, Self)];

    /// What the documentation of scripts calls the type, where its names are listed once for many parameters.
    const DOCUMENTED: Option<&'static str> = None;

    fn name(self) -> &'static str {
        let entry = Self::ALL.iter().find(|(_, value)| *value == self);
        entry.map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| *value)
    }

    fn names() -> impl Iterator<Item = &'static str> {
        Self::ALL.iter().map(|(name, _)| *name)
    }
}
