use buildkit_proto::pb;
use buildkit_proto::pb::user_opt::User;

use super::Base;
use crate::Error;
use crate::vertex::NO_INPUT;

/// A user or a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserId {
    /// By number.
    Number(u32),
    /// By a name, which is looked up in the file system that is changed.
    Name(String),
}

impl From<u32> for UserId {
    fn from(number: u32) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for UserId {
    fn from(name: &str) -> Self {
        Self::Name(name.to_owned())
    }
}

impl From<String> for UserId {
    fn from(name: String) -> Self {
        Self::Name(name)
    }
}

/// Whom a file belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    user: UserId,
    group: UserId,
}

impl Owner {
    /// A user and a group, each by number or name.
    pub fn new(user: impl Into<UserId>, group: impl Into<UserId>) -> Self {
        Self { user: user.into(), group: group.into() }
    }

    pub(super) fn encode(&self, path: &str, base: Base) -> Result<pb::ChownOpt, Error> {
        let encode = |id: &UserId| {
            let user = match id {
                UserId::Number(number) => User::ById(*number),
                UserId::Name(name) if name.is_empty() => {
                    return Err(Error::Empty { what: format!("the name of the owner of {path}") });
                }
                UserId::Name(name) if base.0 == NO_INPUT => {
                    return Err(Error::NameOnScratch { path: path.to_owned(), name: name.clone() });
                }
                UserId::Name(name) => User::ByName(pb::NamedUserOpt { name: name.clone(), input: base.0 }),
            };
            Ok(pb::UserOpt { user: Some(user) })
        };
        Ok(pb::ChownOpt { user: Some(encode(&self.user)?), group: Some(encode(&self.group)?) })
    }
}
