//! Bodies of token requests: `application/x-www-form-urlencoded`, client credentials in the body
//! (`client_secret_post`), never in a header.

use url::form_urlencoded::Serializer;

use crate::domain::Secret;

/// Who asks: the client identifier and its secret (RFC 6749 §2.3.1).
#[derive(Debug, Clone, Copy)]
pub struct FormClient<'a> {
    /// The client identifier.
    pub id: &'a str,
    /// The client secret.
    pub secret: &'a Secret,
}

/// An authorization code for tokens (RFC 6749 §4.1.3, RFC 7636 §4.5).
#[must_use]
pub fn code(client: FormClient, code: &Secret, redirect_uri: &str, verifier: Option<&Secret>) -> Secret {
    let mut fields =
        vec![("grant_type", "authorization_code"), ("code", code.expose()), ("redirect_uri", redirect_uri)];
    fields.extend(verifier.map(|verifier| ("code_verifier", verifier.expose())));
    encode(client, &fields)
}

/// A refresh token for new tokens (RFC 6749 §6).
#[must_use]
pub fn refresh(client: FormClient, refresh_token: &Secret) -> Secret {
    encode(client, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token.expose())])
}

/// Client credentials for a token (RFC 6749 §4.4.2).
#[must_use]
pub fn mint(client: FormClient) -> Secret {
    encode(client, &[("grant_type", "client_credentials")])
}

/// The revocation of a refresh token (RFC 7009 §2.1).
#[must_use]
pub fn revoke(client: FormClient, refresh_token: &Secret) -> Secret {
    encode(client, &[("token", refresh_token.expose()), ("token_type_hint", "refresh_token")])
}

fn encode(client: FormClient, fields: &[(&str, &str)]) -> Secret {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(fields);
    form.append_pair("client_id", client.id).append_pair("client_secret", client.secret.expose());
    Secret::new(form.finish())
}

#[cfg(test)]
mod tests {
    use super::{FormClient, code, mint, refresh, revoke};
    use crate::domain::Secret;

    #[test]
    fn bodies_are_as_the_providers_document_them() {
        let secret = Secret::new("s&s");
        let client = FormClient { id: "app", secret: &secret };
        assert_eq!(
            refresh(client, &Secret::new("r/1")).expose(),
            "grant_type=refresh_token&refresh_token=r%2F1&client_id=app&client_secret=s%26s"
        );
        assert_eq!(
            revoke(client, &Secret::new("r/1")).expose(),
            "token=r%2F1&token_type_hint=refresh_token&client_id=app&client_secret=s%26s"
        );
        assert_eq!(mint(client).expose(), "grant_type=client_credentials&client_id=app&client_secret=s%26s");
        assert_eq!(
            code(client, &Secret::new("c"), "http://127.0.0.1:1/cb", Some(&Secret::new("v"))).expose(),
            "grant_type=authorization_code&code=c&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcb&code_verifier=v&client_id=app&client_secret=s%26s"
        );
    }
}
