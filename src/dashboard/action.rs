//! Actions: what a key means on this screen. Some become commands, others only change the screen.

use crate::dashboard::connections::column::Column;
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::CopyWhat;
use crate::request_log::export::Format;

/// What a key (or a click on its word in the footer) means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Leave the program.
    Quit,
    /// Stop until `fg`.
    Suspend,
    /// Close, go back, give up: what `Esc` means.
    Cancel,
    /// Yes, go, take it: what `Enter` means in a dialog.
    Accept,
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// To the first line.
    Top,
    /// To the last line.
    Bottom,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// Half a page up.
    HalfPageUp,
    /// Half a page down.
    HalfPageDown,
    /// To the next pane.
    NextPane,
    /// To the pane before.
    PreviousPane,
    /// Show details of what is selected.
    Open,
    /// Show the help.
    Help,
    /// Type a filter.
    Filter,
    /// Open the command line.
    OpenPalette,
    /// Complete what is typed in it.
    Complete,
    /// Open the menu of orders.
    OpenSortMenu,
    /// Sort by a column, or as in the file; by the same again, the other way round.
    SortBy(Option<Column>),
    /// Open the menu of columns.
    OpenColumns,
    /// Show the marked column, or hide it.
    ToggleColumn,
    /// Move the marked column up the menu, to the left of the table.
    MoveColumnUp,
    /// Move it down, to the right.
    MoveColumnDown,
    /// Show the columns of the configuration again.
    ResetColumns,
    /// Keep the connection above the others, or no longer.
    ToggleFavourite,
    /// Show the connections in the order of the file again, all of them.
    ResetView,
    /// Group the connections by provider, or not.
    ToggleGroups,
    /// Fold the group.
    Fold,
    /// Unfold it.
    Unfold,
    /// Mark the selected connection or take its mark away, and go on to the next.
    Mark,
    /// Mark all that are shown; where they are, take the marks away.
    MarkAll,
    /// Copy the names of the marked connections.
    CopyNames,
    /// Look like the next theme.
    NextTheme,
    /// Hold the request log still, or let it go on.
    Freeze,
    /// Type a filter of the request log.
    FilterLog,
    /// Show only requests that failed, or all again.
    ErrorsOnly,
    /// Show only the selected connection's requests, or everybody's again.
    OnlySelected,
    /// Show the request before, the newer one.
    PreviousRequest,
    /// Show the next request, the older one.
    NextRequest,
    /// Copy a logged request as a curl line.
    CopyRequest,
    /// Open the menu of ways to write the requests to a file.
    OpenExportMenu,
    /// Write the requests to a file.
    Export(Format),
    /// Open the timeline.
    Timeline,
    /// Show less time, in more detail.
    ZoomIn,
    /// Show more time.
    ZoomOut,
    /// Show as much time as at first, from now.
    ZoomReset,
    /// Show what comes before.
    Earlier,
    /// Show what comes after.
    Later,
    /// Log in, or show the login under way.
    Login,
    /// Refresh if not fresh.
    Refresh,
    /// Refresh now.
    ForceRefresh,
    /// Automatic refresh of the selected connection.
    ToggleAuto,
    /// Automatic refresh of all.
    ToggleAutoAll,
    /// Copy the selected connection's access token.
    CopyAccessToken,
    /// Open the menu of things to copy.
    OpenCopyMenu,
    /// Copy one of them.
    Copy(CopyWhat),
    /// Open the demo's menu of things to break.
    OpenFaultMenu,
    /// Start the demo's guided tour.
    StartTour,
    /// Break one of them.
    Fault(FaultKind),
    /// On to the next step of the guided tour; what this one asks for is done first.
    TourNext,
    /// Back to the step before.
    TourBack,
    /// Leave the tour.
    TourEnd,
    /// One API call with the token.
    Test,
    /// Run a command of the configuration with the connection; its number.
    RunCommand(usize),
    /// Forget the tokens.
    Logout,
    /// Silence everything beyond the screen, or end the silence.
    Quiet,
    /// Take back a logout or a deletion that has not happened yet.
    Undo,
    /// Leave the mouse to the terminal, or have it reported again.
    ToggleMouse,
    /// Only watch, or, after a question, act again.
    ToggleReadOnly,
    /// Open the configuration file in an editor.
    EditConfiguration,
    /// Fill in a form for a new connection.
    New,
    /// Leave for the demo.
    TryDemo,
    /// Leave for the demo with its guided tour.
    TakeTour,
    /// Change the connection's settings in a form.
    Edit,
    /// Forget everything of the connection and take it out of the configuration.
    Delete,
    /// Save what is in the form.
    Save,
    /// Ask for the passphrase of the encrypted store.
    Unlock,
    /// Open the login URL again.
    ReopenBrowser,
    /// Show the login URL as a QR code.
    ShowQr,
    /// Type into the dialog's field.
    EnterField,
    /// Stop typing into it.
    LeaveField,
    /// Close the login dialog, let the login go on.
    Background,
    /// Erase the character before the cursor of a field.
    Erase,
    /// Erase the character under it.
    EraseNext,
    /// Erase the word before it.
    EraseWord,
    /// Empty a field.
    EraseAll,
    /// The cursor of a field to the left.
    CursorLeft,
    /// To the right.
    CursorRight,
    /// To the beginning.
    CursorStart,
    /// To the end.
    CursorEnd,
}

impl Action {
    /// Whether it moves through a list or a text.
    #[must_use]
    pub fn moves(self) -> bool {
        use Action as A;
        matches!(self, A::Up | A::Down | A::Top | A::Bottom)
            || matches!(self, A::PageUp | A::PageDown | A::HalfPageUp | A::HalfPageDown)
    }

    /// How many lines a move goes, where a page has so many; the farthest there is for any other action.
    #[must_use]
    pub fn distance(self, page: usize) -> isize {
        let page = isize::try_from(page).unwrap_or(1).max(1);
        match self {
            Self::Up => -1,
            Self::Down => 1,
            Self::PageUp => -page,
            Self::PageDown => page,
            Self::HalfPageUp => -(page / 2).max(1),
            Self::HalfPageDown => (page / 2).max(1),
            Self::Top => isize::MIN,
            _ => isize::MAX,
        }
    }

    /// Its stable name in the configuration: unique within a scope, never changed once released.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Quit => "quit",
            Self::Suspend => "suspend",
            Self::Cancel => "cancel",
            Self::Accept => "accept",
            Self::Up => "up",
            Self::Down => "down",
            Self::Top => "top",
            Self::Bottom => "bottom",
            Self::PageUp => "page_up",
            Self::PageDown => "page_down",
            Self::HalfPageUp => "half_page_up",
            Self::HalfPageDown => "half_page_down",
            Self::NextPane => "next_pane",
            Self::PreviousPane => "previous_pane",
            Self::Open => "open",
            Self::Help => "help",
            Self::Filter => "filter",
            Self::NextTheme => "next_theme",
            Self::Freeze => "freeze",
            Self::Login => "login",
            Self::Refresh => "refresh",
            Self::ForceRefresh => "force_refresh",
            Self::ToggleAuto => "toggle_auto",
            Self::ToggleAutoAll => "toggle_auto_all",
            Self::CopyAccessToken => "copy_access_token",
            Self::OpenCopyMenu => "open_copy_menu",
            Self::Copy(what) => what.id(),
            Self::Test => "test",
            Self::RunCommand(_) => "run_command",
            Self::Logout => "logout",
            Self::Unlock => "unlock",
            Self::ReopenBrowser => "reopen_browser",
            Self::EnterField => "enter_field",
            Self::LeaveField => "leave_field",
            Self::Background => "background",
            Self::Erase => "erase",
            Self::EraseNext => "erase_next",
            Self::EraseWord => "erase_word",
            Self::EraseAll => "erase_all",
            Self::CursorLeft => "cursor_left",
            Self::CursorRight => "cursor_right",
            Self::CursorStart => "cursor_start",
            Self::CursorEnd => "cursor_end",
            Self::OpenPalette => "open_palette",
            Self::Complete => "complete",
            Self::OpenSortMenu => "open_sort_menu",
            Self::OpenColumns => "open_columns",
            Self::ToggleColumn => "toggle_column",
            Self::MoveColumnUp => "move_column_up",
            Self::MoveColumnDown => "move_column_down",
            Self::ResetColumns => "reset_columns",
            Self::ToggleFavourite => "toggle_favourite",
            Self::ResetView => "reset_view",
            Self::ToggleGroups => "toggle_groups",
            Self::Fold => "fold",
            Self::Unfold => "unfold",
            Self::Mark => "mark",
            Self::MarkAll => "mark_all",
            Self::CopyNames => "copy_names",
            Self::FilterLog => "filter_log",
            Self::ErrorsOnly => "errors_only",
            Self::OnlySelected => "only_selected",
            Self::PreviousRequest => "previous_request",
            Self::NextRequest => "next_request",
            Self::CopyRequest => "copy_request",
            Self::OpenExportMenu => "open_export_menu",
            Self::Timeline => "timeline",
            Self::ZoomIn => "zoom_in",
            Self::ZoomOut => "zoom_out",
            Self::ZoomReset => "zoom_reset",
            Self::Earlier => "earlier",
            Self::Later => "later",
            Self::OpenFaultMenu => "open_fault_menu",
            Self::StartTour => "start_tour",
            Self::TourNext => "tour_next",
            Self::TourBack => "tour_back",
            Self::TourEnd => "tour_end",
            Self::Quiet => "quiet",
            Self::Undo => "undo",
            Self::ToggleMouse => "toggle_mouse",
            Self::ToggleReadOnly => "toggle_read_only",
            Self::EditConfiguration => "edit_configuration",
            Self::New => "new",
            Self::TryDemo => "try_demo",
            Self::TakeTour => "take_tour",
            Self::Edit => "edit",
            Self::Delete => "delete",
            Self::Save => "save",
            Self::ShowQr => "show_qr",
            Self::SortBy(column) => column.map_or("sort_by_file", Column::sort_id),
            Self::Export(Format::Har) => "export_har",
            Self::Export(Format::JsonLines) => "export_json_lines",
            Self::Fault(kind) => kind.id(),
        }
    }

    /// Whether a held-down key may repeat it. What sends a request may not.
    #[must_use]
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Self::Up
                | Self::Down
                | Self::PageUp
                | Self::PageDown
                | Self::HalfPageUp
                | Self::HalfPageDown
                | Self::NextPane
                | Self::Mark
                | Self::MoveColumnUp
                | Self::MoveColumnDown
                | Self::PreviousRequest
                | Self::ZoomIn
                | Self::ZoomOut
                | Self::Earlier
                | Self::Later
                | Self::NextRequest
                | Self::Erase
                | Self::EraseNext
                | Self::EraseWord
                | Self::CursorLeft
                | Self::CursorRight
        )
    }
}
