//! The columns there are: what they are called in the configuration, and which of them sort alike.

/// A column of the connections table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// The marker of the selected row, and the name.
    Name,
    /// What people call it.
    Title,
    /// The provider's short name.
    Provider,
    /// Symbol and words.
    Status,
    /// Bar and time left.
    Access,
    /// The refresh token's estimated end.
    Refresh,
    /// Whether it is refreshed without being asked.
    Auto,
    /// The last result.
    Last,
    /// The time of day the access token ends.
    Ends,
    /// The time of day of the next automatic refresh.
    Next,
    /// What stands in the way, in words.
    Why,
}

impl Column {
    /// The stable name, in the configuration, of sorting by it.
    #[must_use]
    pub fn sort_id(self) -> &'static str {
        match self {
            Self::Name => "sort_by_name",
            Self::Title => "sort_by_title",
            Self::Provider => "sort_by_provider",
            Self::Status => "sort_by_status",
            Self::Access | Self::Ends => "sort_by_access_token",
            Self::Refresh => "sort_by_refresh_token",
            Self::Auto => "sort_by_auto",
            Self::Last => "sort_by_last",
            Self::Next => "sort_by_next",
            Self::Why => "sort_by_why",
        }
    }

    /// What the column is sorted as: two of them show the same moment.
    #[must_use]
    pub fn sorted_as(self) -> Self {
        if self == Self::Ends { Self::Access } else { self }
    }
}
