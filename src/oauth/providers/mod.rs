//! The registry of providers. A new one is a file beside this and one line in [`ALL`].

mod manu;
mod manus;

use crate::domain::Provider;
pub use crate::oauth::providers::manu::MANU;
pub use crate::oauth::providers::manus::MANUS;

/// Every provider there is.
pub static ALL: &[&Provider] = &[&MANU, &MANUS];

#[cfg(test)]
mod tests {
    use url::Url;

    use super::ALL;
    use crate::domain::Grant;

    #[test]
    fn every_provider_is_complete_and_https() {
        for provider in ALL {
            let mut urls = vec![provider.token_url, provider.test_url];
            if let Grant::AuthorizationCode { authorize_url, default_scope, .. } = provider.grant {
                urls.push(authorize_url);
                assert!(!default_scope.is_empty(), "{provider:?}");
            }
            for url in urls {
                assert_eq!(Url::parse(url).unwrap().scheme(), "https", "{provider:?}: {url}");
            }
            assert!(!provider.access_token_lifetime.is_zero(), "{provider:?}");
            assert!(provider.longest_access_token_lifetime >= provider.access_token_lifetime, "{provider:?}");
        }
    }

    #[test]
    fn provider_ids_are_unique() {
        let mut ids: Vec<_> = ALL.iter().map(|provider| provider.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ALL.len());
    }
}
