//! The pages a person sees: consent, the URL to copy, and what went wrong.
//!
//! Invariants: whatever came with a request is escaped; nothing is loaded from anywhere.

use html_escape::encode_quoted_attribute as escape;

use crate::demo::manu::request::AuthorizationRequest;

const STYLE: &str = "\
:root{color-scheme:light dark;--ink:#1c2430;--paper:#f2f5f9;--card:#fff;--quiet:#56637a;--line:#d5dce6;--accent:#0b6e4f;--on-accent:#fff}\
@media(prefers-color-scheme:dark){:root{--ink:#e8edf4;--paper:#11161d;--card:#1a212b;--quiet:#a3b0c2;--line:#364152;--accent:#5fd3a8;--on-accent:#08150f}}\
*{box-sizing:border-box}\
body{margin:0;min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,sans-serif}\
main{width:100%;max-width:32rem;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:.9rem}\
.demo{margin:0 0 1rem;color:var(--quiet);font-size:.9rem}\
h1{margin:0 0 1rem;font-size:1.45rem;line-height:1.25}\
dl{margin:1.2rem 0;display:grid;grid-template-columns:auto 1fr;gap:.4rem 1rem}\
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}\
form{display:flex;gap:.75rem;margin-top:1.6rem}\
button{flex:1;padding:.75rem 1rem;font:inherit;font-weight:600;border-radius:.55rem;border:1px solid var(--line);background:transparent;color:inherit;cursor:pointer}\
#allow{background:var(--accent);border-color:var(--accent);color:var(--on-accent)}\
:focus-visible{outline:3px solid var(--accent);outline-offset:3px}\
textarea{width:100%;padding:.75rem;font:.9rem/1.5 ui-monospace,monospace;color:inherit;background:var(--paper);border:1px solid var(--line);border-radius:.55rem;resize:vertical;overflow-wrap:anywhere}\
label{font-weight:600}";

/// Asks the person.
pub(super) fn consent(asked: &AuthorizationRequest, consent: &str) -> String {
    let (client, scope) = (escape(&asked.client_id), escape(&asked.scope));
    let back = escape(&asked.redirect_uri);
    let main = format!(
        r#"<h1>Allow <strong>{client}</strong> to use your Manu&nbsp;Online account?</h1>
<dl>
<dt>Who asks</dt><dd>{client}</dd>
<dt>Access</dt><dd>{scope}</dd>
<dt>Answer goes to</dt><dd>{back}</dd>
</dl>
<form method="post" action="/oauth/authorize">
<input type="hidden" name="consent" value="{consent}">
<button id="deny" name="decision" value="deny">Deny</button>
<button id="allow" name="decision" value="allow">Allow</button>
</form>"#
    );
    page("Allow access?", &main)
}

/// Shows the final URL, for a redirect URI that does not lead to this machine.
pub(super) fn copy(url: &str) -> String {
    let url = escape(url);
    let main = format!(
        r#"<h1>Copy this address</h1>
<p>A browser would now go to the address below, on another site. Copy it whole and paste it into manutop, where the login waits for it.</p>
<p><label for="final-url">Final address</label></p>
<textarea id="final-url" rows="4" readonly autofocus spellcheck="false">{url}</textarea>"#
    );
    page("Copy this address", &main)
}

/// Says why an authorization request, or a form, was refused.
pub(super) fn refused(reason: &str) -> String {
    let reason = escape(reason);
    page("Request refused", &format!("<h1>Request refused</h1>\n<p id=\"reason\" role=\"alert\">{reason}</p>"))
}

/// There is nothing at this address.
pub(super) fn not_found() -> String {
    page("Not found", "<h1>Not found</h1>\n<p>There is nothing at this address.</p>")
}

fn page(title: &str, main: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Manu Online (demo)</title>
<style>{STYLE}</style>
</head>
<body>
<main>
<p class="demo">Manu Online · the demo server inside manutop. No real account is touched.</p>
{main}
</main>
</body>
</html>
"#
    )
}
