//! Plain types without I/O: what a connection is, what is known about it, what can be asked of it.

pub mod clock;
pub mod command;
pub mod connection;
pub mod event;
pub mod field_fault;
pub mod history;
pub mod incident;
pub mod inspection;
pub mod keys;
pub mod log;
pub mod problem;
pub mod provider;
pub mod secret;
pub mod status;
pub mod text;
pub mod theme;
pub mod token;
pub mod view;

pub use clock::{Clock, SystemClock};
pub use command::{Command, CopyWhat};
pub use connection::{Connection, ConnectionGrant, ConnectionName, SecretSource};
pub use event::{CopiedTo, Event, TestFailure};
pub use field_fault::FieldFault;
pub use history::{Obtained, Program, Rotation};
pub use incident::{Change, Incident, IncidentKind, Incidents};
pub use inspection::{Inspection, Jwt, TokenForm};
pub use keys::{Rebinding, Written};
pub use log::{Exchange, LogEntry, Outcome, Timings, Wire};
pub use problem::Problem;
pub use provider::{Grant, Provider, RefreshTokens};
pub use secret::Secret;
pub use status::{Severity, Status};
pub use theme::{Background, Depth, ThemeName};
pub use token::{Fingerprint, RefreshFacts, RefreshToken, TokenFacts, TokenRecord};
pub use view::{Activity, ConnectionView, Holding, Last, LoginView, Redirect};
