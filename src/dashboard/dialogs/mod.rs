//! Small dialogs in the middle of the screen: menus, questions, and a failed login.

pub mod menu;
pub mod popup;
pub mod question;
pub mod removal;
pub mod update;
pub mod view;
