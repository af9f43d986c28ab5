//! Answers of a token endpoint that name a person, as an `OpenID` provider gives them.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use manutop::demo::DemoFault;
use serde_json::{Value, json};

/// A token in the shape of a JWT; its signature is not verified.
pub fn jwt(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2lnbmF0dXJl", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(claims))
}

fn with_id_token(mut answer: Value, claims: &Value) -> String {
    answer["id_token"] = jwt(claims).into();
    answer.to_string()
}

/// The next answer is Ada's.
pub fn ada() -> DemoFault {
    DemoFault::Rewrite(|answer| with_id_token(answer, &json!({ "sub": "7", "email": "ada@example.com" })))
}

/// The next answer is Bob's.
pub fn bob() -> DemoFault {
    DemoFault::Rewrite(|answer| with_id_token(answer, &json!({ "sub": "9", "email": "bob@example.com" })))
}
