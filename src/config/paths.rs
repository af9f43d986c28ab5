//! Where the files are: the platform's directories, or what the user said.

use std::path::PathBuf;

use directories::ProjectDirs;

use crate::config::{ConfigError, in_place};

/// Where the configuration and the data are. All paths are absolute; nothing is created here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file; it need not exist.
    pub config_file: PathBuf,
    /// The directory of journals, locks and logs; it need not exist.
    pub data_dir: PathBuf,
    /// Whether `data_dir` is the platform's own, as against one the user named.
    pub default_data_dir: bool,
}

impl Paths {
    /// Takes what the user named (an empty path counts as nothing named) and the platform's
    /// directories for the rest.
    ///
    /// # Errors
    /// When a directory is needed and the user has no home, or a path cannot be made absolute.
    pub fn resolve(config: Option<PathBuf>, data_dir: Option<PathBuf>) -> Result<Self, ConfigError> {
        let config = config.filter(|path| !path.as_os_str().is_empty());
        let data_dir = data_dir.filter(|path| !path.as_os_str().is_empty());
        let default_data_dir = data_dir.is_none();
        let project = || ProjectDirs::from("", "", "manutop").ok_or(ConfigError::NoHome);
        let config_file = match config {
            Some(path) => absolute(path)?,
            None => project()?.config_dir().join("config.toml"),
        };
        let data_dir = match data_dir {
            Some(path) => absolute(path)?,
            None => project()?.data_dir().to_owned(),
        };
        in_place::remember_data_dir(&config_file, &data_dir);
        Ok(Self { config_file, data_dir, default_data_dir })
    }
}

/// Links are kept as they are, so that messages name what the user wrote.
fn absolute(path: PathBuf) -> Result<PathBuf, ConfigError> {
    std::path::absolute(&path).map_err(|source| ConfigError::Path { path, source })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::Paths;

    #[test]
    fn what_the_user_names_is_taken_and_made_absolute() {
        let paths = Paths::resolve(Some("a/my.toml".into()), Some("data".into())).unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(paths.config_file, here.join("a/my.toml"));
        assert_eq!(paths.data_dir, here.join("data"));
        assert!(!paths.default_data_dir);
    }

    #[test]
    fn an_empty_path_counts_as_not_given() {
        let given = Paths::resolve(Some(PathBuf::new()), Some("/tmp/d".into()));
        // Without a home directory there is no default; that too must be said, not guessed.
        if let Ok(paths) = given {
            assert!(paths.config_file.is_absolute() && paths.config_file.ends_with("config.toml"));
        }
    }
}
