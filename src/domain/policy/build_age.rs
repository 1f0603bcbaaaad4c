//! Which of two builds is the newer one.

use super::Current;
use crate::domain::reference::Tag;
use crate::domain::registry::answer::Build;
use crate::domain::registry::inquiry::Gap;
use crate::domain::registry::inquiry::Inquiry;
use crate::domain::registry::platform::Platforms;
use crate::domain::registry::question::Age;
use crate::domain::registry::question::BuildQuestion;
use crate::domain::registry::question::Pointer;

/// How what is in use in one place compares with a build.
pub(super) enum Compared {
    /// It is that build, by its tag.
    Same,
    /// It was built earlier, or is no longer there.
    Older,
    /// It was built no earlier, or nobody can tell. The reason is for people.
    NoOlder(String),
}

/// Compares what is in use in one place with a build of a tag.
pub(super) fn compared(
    place: &Current,
    tag: &Tag,
    build: &Build,
    inquiry: &mut Inquiry<'_>,
) -> Result<Compared, Gap> {
    let is_tag = place.tag.as_deref() == Some(tag.as_str());
    let of = match (&place.digest, &place.tag) {
        (Some(digest), _) if *digest == build.digest && is_tag => return Ok(Compared::Same),
        (None, Some(_)) if is_tag => return Ok(Compared::Same),
        (Some(digest), _) => Pointer::Digest(digest.clone()),
        (None, Some(text)) => match Tag::parse(text) {
            Ok(tag) => Pointer::Tag(tag),
            Err(_) => return Ok(Compared::Older),
        },
        (None, None) => return Ok(Compared::Older),
    };
    let name = of.as_str().to_owned();
    // For whatever platform it is: it runs.
    let question = BuildQuestion {
        of,
        platforms: Platforms::any(),
        age: Age::Now,
    };
    let Some(in_use) = inquiry.build(question)? else {
        return Ok(Compared::Older);
    };
    let no_older = |why: &str| Ok(Compared::NoOlder(format!("{name}, which is in use, {why}")));
    match (in_use.created, build.created) {
        _ if in_use.digest == build.digest => no_older(&format!("is the same build as tag {tag}")),
        (Some(in_use), Some(pushed)) if in_use < pushed => Ok(Compared::Older),
        (None, Some(_)) => Ok(Compared::Older),
        (Some(in_use), Some(pushed)) if in_use == pushed => no_older(&format!(
            "says that it was built at the same time as tag {tag}; a build that sets no true date takes another updateStrategy"
        )),
        (Some(_), Some(_)) => no_older(&format!("was built later than tag {tag}")),
        (_, None) => no_older(&format!(
            "cannot be compared with tag {tag}, which does not say when it was built"
        )),
    }
}
