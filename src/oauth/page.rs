//! What the browser shows after the redirect: one self-contained page, no script, no asset.

use html_escape::encode_quoted_attribute;

/// What a page reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PageTone {
    Good,
    Bad,
    /// Nothing yet: the page reloads automatically.
    Waiting,
}

/// A page with a heading and a sentence; both are escaped.
pub(super) fn render(tone: PageTone, heading: &str, sentence: &str) -> String {
    let (mark, colour) = match tone {
        PageTone::Good => ("&#10003;", "#1a7f37"),
        PageTone::Bad => ("&#10007;", "#b3261e"),
        PageTone::Waiting => ("&#8230;", "#9a6700"),
    };
    let again = if tone == PageTone::Waiting { "<meta http-equiv=\"refresh\" content=\"2\">" } else { "" };
    let next = match tone {
        PageTone::Waiting => "Go back to manutop and answer there.",
        PageTone::Good => "You can close this window and go back to the terminal, where manutop shows the connection.",
        PageTone::Bad => "You can close this window and go back to the terminal, where manutop says what to do next.",
    };
    let (heading, sentence) = (encode_quoted_attribute(heading), encode_quoted_attribute(sentence));
    format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>manutop: {heading}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta name=\"color-scheme\" content=\"light dark\">{again}<style>\
         body{{font:1.1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:15vh auto;padding:0 1rem}}\
         h1{{font-size:1.5rem}}.mark{{color:{colour};font-size:2.5rem}}</style></head>\
         <body><main><div class=\"mark\" aria-hidden=\"true\">{mark}</div><h1>{heading}</h1><p>{sentence}</p>\
         <p>{next}</p></main></body></html>"
    )
}

#[cfg(test)]
mod tests {
    use super::{PageTone, render};

    #[test]
    fn words_from_outside_cannot_become_markup() {
        let page = render(PageTone::Bad, "<script>alert(1)</script>", "a & \"b\"");
        assert!(!page.contains("<script>") && page.contains("a &amp; &quot;b&quot;"));
    }
}
