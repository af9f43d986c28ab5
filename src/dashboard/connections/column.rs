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
    /// Every column, in the order in which the table shows them.
    pub const ALL: [Self; 11] = [
        Self::Name,
        Self::Title,
        Self::Provider,
        Self::Status,
        Self::Access,
        Self::Ends,
        Self::Refresh,
        Self::Auto,
        Self::Next,
        Self::Last,
        Self::Why,
    ];

    /// Its stable name in the configuration; [`crate::config::COLUMNS`] lists them.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Provider => "provider",
            Self::Status => "status",
            Self::Access => "access",
            Self::Ends => "ends",
            Self::Refresh => "refresh",
            Self::Auto => "auto",
            Self::Next => "next",
            Self::Last => "last",
            Self::Why => "why",
        }
    }

    /// The column of that name.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.id() == id)
    }

    /// What it shows, in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Title => "title",
            Self::Provider => "provider",
            Self::Status => "status",
            Self::Access => "access token: time left",
            Self::Ends => "access token: end",
            Self::Refresh => "refresh token: time left",
            Self::Auto => "automatic refresh",
            Self::Next => "next refresh",
            Self::Last => "last result",
            Self::Why => "problem",
        }
    }

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

#[cfg(test)]
mod tests {
    use super::Column;

    #[test]
    fn the_configuration_knows_every_column() {
        assert_eq!(Column::ALL.map(Column::id), crate::config::COLUMNS);
    }
}
