//! The form of a connection.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph};

use crate::dashboard::connection_form::Form;
use crate::dashboard::connection_form::lines::{FormLine, FormValue, lines as form_lines};
use crate::dashboard::layout;
use crate::dashboard::layout::first_row;
use crate::dashboard::theme::Theme;
use crate::dashboard::widgets::pane::frame_of;
use crate::dashboard::widgets::text_field_view;
use crate::dashboard::widgets::truncate::cut;
use crate::domain::Severity;

/// The columns of the labels, the marker before them and the space after them included.
const LABELS: u16 = 17;
/// The widest field: a line that is far longer than what it takes is no help.
const WIDEST: u16 = 72;

/// Draws the form over the whole body.
pub(crate) fn draw(frame: &mut Frame, form: &Form, body: Rect, theme: Theme) {
    let title = match form.changes() {
        Some(name) => format!(" Edit {name} "),
        None => " New connection ".into(),
    };
    let mut block = frame_of(title, true, theme);
    let (is_well, message) = form.message();
    if message.is_empty() {
        block = block.title_bottom(Line::from(Span::styled(" * required ", theme.dim())));
    } else {
        let severity = if is_well { Severity::Busy } else { Severity::Bad };
        let text = cut(Line::from(Span::styled(format!(" {message} "), theme.severity(severity))), body.width - 4);
        block = block.title_bottom(text);
    }
    let area = layout::text(body);
    let width = area.width.saturating_sub(LABELS);
    let (lines, (top, bottom)) = form_lines(form, usize::from(width.saturating_sub(2)));
    let height = usize::from(area.height);
    // The whole row that is typed into is seen, with what is said of it, and its first line in any case.
    let first = first_row(first_row(0, bottom, lines.len(), height), top, lines.len(), height);
    frame.render_widget(Clear, body);
    frame.render_widget(block, body);
    let count = lines.len();
    let shown = lines.into_iter().skip(first).take(height).map(|line| cut(text(form, line, width, theme), area.width));
    frame.render_widget(Paragraph::new(shown.collect::<Vec<_>>()), area);
    if count > first + height {
        let more =
            Line::from(Span::styled(format!(" ↓ {} more ", count - first - height), theme.dim())).right_aligned();
        let edge = Rect { x: body.x + 1, y: body.y, width: body.width - 2, height: 1 };
        frame.render_widget(more, edge);
    }
}

fn text(form: &Form, line: FormLine, width: u16, theme: Theme) -> Line<'static> {
    let indent = || Span::raw(" ".repeat(LABELS.into()));
    match line {
        FormLine::Row { row, label, required, value } => {
            let focused = row == form.focus();
            let (marker, style) = if focused { ("▸ ", theme.strong()) } else { ("  ", theme.dim()) };
            let room = usize::from(LABELS) - 2;
            let mut spans = vec![Span::styled(marker, theme.accent()), Span::styled(label, style)];
            let star = if required { " *" } else { "" };
            spans.push(Span::styled(format!("{star:<rest$}", rest = room.saturating_sub(label.len())), theme.accent()));
            spans.extend(value_spans(form, value, focused, width.min(WIDEST), theme));
            Line::from(spans)
        }
        FormLine::Fault(why, begins) => {
            let symbol = if begins { "✖ " } else { "  " };
            Line::from(vec![indent(), Span::styled(format!("{symbol}{why}"), theme.severity(Severity::Bad))])
        }
        FormLine::Help(help) => Line::from(vec![indent(), Span::styled(format!("  {help}"), theme.dim())]),
    }
}

fn value_spans(form: &Form, value: FormValue, focused: bool, width: u16, theme: Theme) -> Vec<Span<'static>> {
    let cursor = || Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED));
    let spans = match value {
        FormValue::Choice(text) if focused => {
            return vec![
                Span::styled("◂ ", theme.accent()),
                Span::styled(text, theme.strong()),
                Span::styled(" ▸", theme.accent()),
            ];
        }
        FormValue::Choice(text) => {
            return vec![Span::styled("◂ ", theme.dim()), Span::raw(text), Span::styled(" ▸", theme.dim())];
        }
        FormValue::Fold(text, unfolded) => {
            let sign = if unfolded { "▾ " } else { "▸ " };
            return vec![Span::styled(sign, theme.accent()), Span::styled(text, theme.dim())];
        }
        FormValue::Typing => text_field_view::spans(form.input(), width, true, theme.strong()),
        FormValue::Default(text) if focused => vec![cursor(), Span::styled(format!(" {text}"), theme.dim())],
        FormValue::Default(text) => vec![Span::styled(text, theme.dim())],
        FormValue::Text(text) => vec![Span::raw(text)],
        FormValue::Hidden { dots, typing: true } => vec![Span::styled(dots, theme.strong()), cursor()],
        FormValue::Hidden { dots, .. } => vec![Span::raw(dots)],
    };
    field(spans, width, theme)
}

/// What is in a field, on the ground that shows how wide it is.
fn field(spans: Vec<Span<'static>>, width: u16, theme: Theme) -> Vec<Span<'static>> {
    let mut line = cut(Line::from(spans), width);
    let blank = usize::from(width).saturating_sub(line.width());
    line.push_span(Span::raw(" ".repeat(blank)));
    line.spans.into_iter().map(|span| Span { style: theme.field().patch(span.style), ..span }).collect()
}

#[cfg(test)]
mod tests {
    use crate::config;
    use crate::dashboard::fixtures::*;
    use crate::dashboard::tests::snapshots::picture;

    #[test]
    fn a_form_with_faults_and_one_of_a_connection_at_every_size() {
        let file = "[[connections]]\nname = \"factory\"\ntitle = \"Werk Süd 工場\"\nprovider = \"manu\"\nclient_id = \"abc\"\n\
                    redirect_uri = \"http://127.0.0.1:8400/callback\"\nscope = \"READ\"\nauto_refresh = false\n";
        for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
            let mut app = app_of(seven());
            let config = config::parse(file, std::path::Path::new("c.toml"), app.options.providers).unwrap();
            app.configure(config.connections);
            press(&mut app, "n");
            insta::assert_snapshot!(format!("untouched_{width}x{height}"), picture(&mut app, width, height));
            press(&mut app, "Tab f a c t o r y Tab x Tab");
            paste(&mut app, "s3cr3t");
            press(&mut app, "Tab C-u");
            paste(&mut app, "http://example.com/callback");
            insta::assert_snapshot!(format!("new_{width}x{height}"), picture(&mut app, width, height));
            press(&mut app, "Tab Space");
            paste(&mut app, "Rt-s3cr3t-of-another-program");
            insta::assert_snapshot!(format!("refresh_token_{width}x{height}"), picture(&mut app, width, height));
            press(&mut app, "Esc Esc e");
            insta::assert_snapshot!(format!("edit_{width}x{height}"), picture(&mut app, width, height));
            press(&mut app, "Tab Tab Tab Tab Tab Space");
            paste(&mut app, "Rt-s3cr3t-of-another-program");
            press(&mut app, "C-s");
            insta::assert_snapshot!(format!("replace_{width}x{height}"), picture(&mut app, width, height));
        }
    }
}
