//! Why a window has an offset, or has none.

/// What became of a window. The numbers are those of the band `reason` of dense fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Reason {
    Ok = 0,
    /// Too many masked or empty pixels in the reference or in the search window, or outside the images.
    Nodata = 1,
    /// The reference window, or every window that it is compared with, is constant.
    LowSignal = 2,
    /// The correlation is nowhere above 0.
    NoPeak = 3,
    /// The largest correlation lies on the border of the search range: the true one may lie beyond.
    Edge = 4,
    /// The correlation does not curve at its peak, so that no covariance can be given.
    Flat = 5,
    /// The signal-to-noise ratio is below its threshold.
    LowSnr = 6,
    /// A variance is above its threshold.
    HighCovariance = 7,
    /// Nothing was asked for here: no search limit, or no size of chip that the node admits.
    NotSearched = 8,
    /// The coarse search, of every fourth chip, found no offsets near that agree with one another.
    Coarse = 9,
    /// The offset does not agree with those around it.
    Incoherent = 10,
    /// The window's own offset was refused; what stands here is the median of those around it.
    Interpolated = 11,
}

impl Reason {
    pub const ALL: [Reason; 12] = [
        Reason::Ok,
        Reason::Nodata,
        Reason::LowSignal,
        Reason::NoPeak,
        Reason::Edge,
        Reason::Flat,
        Reason::LowSnr,
        Reason::HighCovariance,
        Reason::NotSearched,
        Reason::Coarse,
        Reason::Incoherent,
        Reason::Interpolated,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Reason::Ok => "ok",
            Reason::Nodata => "nodata",
            Reason::LowSignal => "low_signal",
            Reason::NoPeak => "no_peak",
            Reason::Edge => "edge",
            Reason::Flat => "flat",
            Reason::LowSnr => "low_snr",
            Reason::HighCovariance => "high_covariance",
            Reason::NotSearched => "not_searched",
            Reason::Coarse => "coarse",
            Reason::Incoherent => "incoherent",
            Reason::Interpolated => "interpolated",
        }
    }

    pub fn code(self) -> u8 {
        self as u8
    }
}
