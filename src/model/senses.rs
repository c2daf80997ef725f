//! What models take besides text, and in which form.

use super::picture::Limits;
use crate::protocol::ImageDetail;

/// What a model can take besides text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Senses {
    pub(crate) sight: Sight,
    pub(crate) hearing: Hearing,
}

/// How well a model sees pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    Blind,
    /// Scaled to a size that is the same for all.
    Reduced,
    /// As they are, up to a larger size.
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hearing {
    Deaf,
    Audio,
}

impl Senses {
    /// Those of a model that takes text alone.
    pub(crate) const NONE: Self = Self { sight: Sight::Blind, hearing: Hearing::Deaf };
}

impl Sight {
    /// How large a picture may be.
    pub(crate) fn limits(self) -> Limits {
        match self {
            Self::Blind | Self::Reduced => Limits { side: 2048, patches: 2500 },
            Self::Full => Limits { side: 6000, patches: 10_000 },
        }
    }

    /// The detail to ask for where `asked` is wanted, for a picture that we have not seen.
    pub(crate) fn detail(self, asked: Option<ImageDetail>) -> ImageDetail {
        match (self, asked) {
            (_, None) | (Self::Blind | Self::Reduced, Some(ImageDetail::Original)) => {
                ImageDetail::High
            }
            (_, Some(detail)) => detail,
        }
    }

    /// The same for a picture that has been fitted to the limits. `None` when the model cannot be asked for it.
    pub(crate) fn detail_fitted(self, asked: Option<ImageDetail>) -> Option<ImageDetail> {
        match self {
            Self::Full => Some(ImageDetail::Original),
            Self::Blind | Self::Reduced => {
                Some(self.detail(asked)).filter(|detail| *detail != ImageDetail::Low)
            }
        }
    }
}
