//! What can be set while the dashboard runs: keys, commands and theme by the configuration, mouse and silence by keys.

use crate::dashboard::App;
use crate::dashboard::keymap::Keymap;
use crate::dashboard::screen::Screen;
use crate::domain::ThemeName;

impl App {
    /// Takes over keys, commands and theme from a reloaded configuration.
    pub fn appear(&mut self, keymap: Keymap, theme: ThemeName) {
        if keymap.commands() != self.options.keymap.commands() {
            // What was found counts the commands there were.
            self.screens.close_where(|screen| matches!(screen, Screen::Palette(_)));
        }
        self.options.keymap = keymap;
        if !self.options.theme_is_fixed {
            self.options.appearance.theme = theme;
        }
    }

    /// Begins with the mouse reported, or left to the terminal.
    pub fn use_mouse(&mut self, on: bool) {
        self.mouse = on;
    }

    /// Whether the mouse is reported.
    #[must_use]
    pub fn uses_mouse(&self) -> bool {
        self.mouse
    }

    /// Switches notifications and bell off, or on again; the header shows that they are off.
    pub fn toggle_quiet(&mut self) {
        self.quiet = !self.quiet;
    }
}
