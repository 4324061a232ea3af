//! Places: members of a sorted set that have positions.

use super::call::{Call, op};
use super::reply::FromReply;
use crate::error::EdgeError;
use crate::wire::{Arg, Reply};

/// A position on the globe, in degrees; Redis keeps it to within half a metre or so.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Position {
    /// -180 to 180, east of Greenwich.
    pub longitude: f64,
    /// -85.05112878 to 85.05112878, north of the equator.
    pub latitude: f64,
}

impl FromReply for Position {
    fn from_reply(reply: Reply<'_>) -> Result<Self, EdgeError> {
        let (longitude, latitude) = FromReply::from_reply(reply)?;
        Ok(Self {
            longitude,
            latitude,
        })
    }
}

/// What a distance is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Metres.
    Metres,
    /// Kilometres.
    Kilometres,
    /// Feet.
    Feet,
    /// Miles.
    Miles,
}

impl Unit {
    fn word(self) -> &'static str {
        match self {
            Self::Metres => "m",
            Self::Kilometres => "km",
            Self::Feet => "ft",
            Self::Miles => "mi",
        }
    }
}

/// Sets where members are; how many are new.
pub fn geoadd<'a>(
    key: &str,
    members: impl IntoIterator<Item = (impl Into<Arg<'a>>, Position)>,
) -> Call<u64> {
    let add = |call: Call<u64>, (member, at): (_, Position)| {
        let call = call.float("longitude", at.longitude);
        call.float("latitude", at.latitude).arg(member)
    };
    members.into_iter().fold(Call::new("GEOADD").arg(key), add)
}

/// The distance of two members; `None` when one of them is none.
pub fn geodist<'a, 'b>(
    key: &str,
    from: impl Into<Arg<'a>>,
    to: impl Into<Arg<'b>>,
    unit: Unit,
) -> Call<Option<f64>> {
    Call::new("GEODIST")
        .arg(key)
        .arg(from)
        .arg(to)
        .arg(unit.word())
}

/// Where each member is, in order, `None` where it is none.
pub fn geopos<'a>(
    key: &str,
    members: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<Vec<Option<Position>>> {
    Call::new("GEOPOS").arg(key).args(members)
}

/// Each member's geohash of 11 characters, in order, `None` where it is none.
pub fn geohash<'a>(
    key: &str,
    members: impl IntoIterator<Item = impl Into<Arg<'a>>>,
) -> Call<Vec<Option<String>>> {
    Call::new("GEOHASH").arg(key).args(members)
}

/// What a search is around.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Centre<'a> {
    /// A member, which is found too.
    Member(&'a str),
    /// A position.
    At(Position),
}

/// What is searched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Area {
    /// All within this distance.
    Radius(f64, Unit),
    /// All within half the width to the east and west, and half the height to the north and south.
    Rectangle {
        /// From west to east.
        width: f64,
        /// From south to north.
        height: f64,
        /// What both are in.
        unit: Unit,
    },
}

/// The members in an area, in no order unless one is asked for; `redis_error` when the member it is around is none.
///
/// ```
/// use upstash_edge::commands::{Area, Centre, Geosearch, Unit, geosearch};
/// let near: Geosearch<(String, f64)> =
///     geosearch("shops", Centre::Member("home"), Area::Radius(2.0, Unit::Kilometres))
///         .nearest()
///         .with_distances();
/// ```
pub fn geosearch(key: &str, around: Centre<'_>, area: Area) -> Geosearch<String> {
    let call = Call::new("GEOSEARCH").arg(key);
    let call = match around {
        Centre::Member(member) => call.arg("FROMMEMBER").arg(member),
        Centre::At(at) => call
            .arg("FROMLONLAT")
            .float("longitude", at.longitude)
            .float("latitude", at.latitude),
    };
    Geosearch(match area {
        Area::Radius(radius, unit) => call
            .arg("BYRADIUS")
            .float("radius", radius)
            .arg(unit.word()),
        Area::Rectangle {
            width,
            height,
            unit,
        } => call
            .arg("BYBOX")
            .float("width", width)
            .float("height", height)
            .arg(unit.word()),
    })
}

/// GEOSEARCH with its options.
#[must_use = "an op does nothing until it is run"]
pub struct Geosearch<T>(Call<Vec<T>>);

op!(Geosearch<T>, Vec<T>);

impl<T> Geosearch<T> {
    /// The nearest first.
    pub fn nearest(self) -> Self {
        Self(self.0.arg("ASC"))
    }

    /// The `count` nearest at most, the nearest first.
    pub fn count(self, count: u64) -> Self {
        Self(self.0.arg("COUNT").arg(count))
    }
}

impl Geosearch<String> {
    /// Each member with its distance, in the unit of the area.
    pub fn with_distances(self) -> Geosearch<(String, f64)> {
        Geosearch(self.0.arg("WITHDIST").reading())
    }
}
