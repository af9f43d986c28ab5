//! What a screen answers to an action: it never acts on the stack of screens, and never calls another screen.

use crate::dashboard::action::Action;
use crate::dashboard::effect::Effect;
use crate::dashboard::screen::Screen;

/// What follows from an action; [`crate::dashboard::dispatch`] carries it out.
#[derive(Debug, PartialEq, Eq)]
pub enum Flow {
    /// The action was carried out, with these effects.
    Done(Vec<Effect>),
    /// The screen has no use for the action: it goes to the connection that the screen is about.
    Pass,
    /// Another screen opens on top.
    Open(Screen),
    /// Another screen takes the place of this one.
    Replace(Screen),
    /// The screen closes, with these effects.
    Close(Vec<Effect>),
    /// The screen closes, and the one below carries out these actions, as if their keys had been pressed.
    Run(Vec<Action>),
    /// All screens but the main one close, which carries out these actions after these effects.
    Restart(Vec<Effect>, Vec<Action>),
}

impl Flow {
    /// Nothing follows.
    pub const NOTHING: Self = Self::Done(Vec::new());
    /// The screen closes, without an effect.
    pub const CLOSE: Self = Self::Close(Vec::new());

    /// The action was carried out, with one effect.
    #[must_use]
    pub fn effect(effect: impl Into<Effect>) -> Self {
        Self::Done(vec![effect.into()])
    }

    /// The same, after the screen has made room for what follows.
    #[must_use]
    pub fn in_place(self) -> Self {
        match self {
            Self::Open(screen) => Self::Replace(screen),
            Self::Done(effects) => Self::Close(effects),
            other => other,
        }
    }
}
