//! A real API server, and what tests do with one.

mod api_server;
pub(crate) mod custom_resources;
mod proxy;
mod way;
mod world;

pub(crate) use self::api_server::ApiServer;
pub(crate) use self::proxy::Proxy;
pub(crate) use self::way::Way;
pub(crate) use self::world::World;
pub(crate) use self::world::eventually;
