//! The colours of every theme, as data.
//!
//! Invariants (tested): beside the 16 ANSI colours, whose shades are the terminal's own, only the
//! 240 of xterm whose shades are settled; on every background a palette is made for each has a
//! contrast of 4.5:1 (borders, which are no text, 3:1), or 7:1 with high contrast (WCAG 2.2, 1.4.3,
//! 1.4.11 and 1.4.6); the colour-blind palettes' severities differ for protanopes, deuteranopes and tritanopes too.

use ratatui::style::{Color, Modifier, Style};

use crate::dashboard::theme::appearance::Appearance;
use crate::domain::{Background, Depth, ThemeName};

/// The colours of a theme. What is not here is made of these and of modifiers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ThemePalette {
    /// All is well; also text to be copied.
    pub(crate) good: Style,
    /// Something is under way.
    pub(crate) busy: Style,
    /// It may recover by itself.
    pub(crate) warning: Style,
    /// A person is needed.
    pub(crate) bad: Style,
    /// Keys, the program's name, the border where the keyboard is.
    pub(crate) accent: Style,
    /// What matters less, empty gauges among it.
    pub(crate) dim: Style,
    /// The border of a pane without the keyboard.
    pub(crate) border: Style,
    /// Text and background, where they are not the terminal's own.
    pub(crate) ground: Option<(Color, Color)>,
    /// The background of the selected row; without one the row is reversed.
    pub(crate) tint: Option<Color>,
    /// The ground of a field that is typed into: a tint, or a line where there is none.
    pub(crate) field: Style,
}

const FAINT: Style = Style::new().add_modifier(Modifier::DIM);

const LINE: Style = Style::new().add_modifier(Modifier::UNDERLINED);

/// Modifiers only.
static PLAIN: ThemePalette = ThemePalette {
    good: Style::new(),
    busy: Style::new(),
    warning: Style::new(),
    bad: Style::new(),
    accent: Style::new(),
    dim: FAINT,
    border: FAINT,
    ground: None,
    tint: None,
    field: LINE,
};

/// The 16 colours every terminal has, so that its own theme decides how they look.
static SIXTEEN: ThemePalette = ThemePalette {
    good: ink(Color::Green),
    busy: ink(Color::Cyan),
    warning: ink(Color::Yellow),
    bad: ink(Color::Red),
    accent: ink(Color::Cyan),
    dim: FAINT,
    border: FAINT,
    ground: None,
    tint: None,
    field: LINE,
};

static DARK: ThemePalette = ThemePalette {
    good: xterm(78),     // #5fd787
    busy: xterm(80),     // #5fd7d7
    warning: xterm(221), // #ffd75f
    bad: xterm(210),     // #ff8787
    accent: xterm(81),   // #5fd7ff
    dim: xterm(145),     // #afafaf
    border: xterm(244),  // #808080
    ground: None,
    tint: None,
    field: tint(237),
};

static LIGHT: ThemePalette = ThemePalette {
    good: xterm(22),    // #005f00
    busy: xterm(24),    // #005f87
    warning: xterm(94), // #875f00
    bad: xterm(124),    // #af0000
    accent: xterm(25),  // #005faf
    dim: xterm(59),     // #5f5f5f
    border: xterm(244), // #808080
    ground: None,
    tint: None,
    field: tint(253),
};

static HIGH_CONTRAST_DARK: ThemePalette = ThemePalette {
    good: xterm(84),     // #5fff87
    busy: xterm(87),     // #5fffff
    warning: xterm(227), // #ffff5f
    bad: xterm(210),     // #ff8787
    accent: xterm(117),  // #87d7ff
    dim: xterm(252),     // #d0d0d0
    border: xterm(252),  // #d0d0d0
    ground: Some((Color::Indexed(231), Color::Indexed(16))),
    tint: None,
    field: tint(235),
};

static HIGH_CONTRAST_LIGHT: ThemePalette = ThemePalette {
    good: xterm(22),    // #005f00
    busy: xterm(24),    // #005f87
    warning: xterm(90), // #870087
    bad: xterm(88),     // #870000
    accent: xterm(18),  // #000087
    dim: xterm(238),    // #444444
    border: xterm(238), // #444444
    ground: Some((Color::Indexed(16), Color::Indexed(231))),
    tint: None,
    field: tint(254),
};

// Blue against yellow and orange, as Okabe and Ito have it; light against dark besides.

static COLOUR_BLIND_DARK: ThemePalette = ThemePalette {
    good: xterm(123),    // #87ffff
    busy: xterm(39),     // #00afff
    warning: xterm(227), // #ffff5f
    bad: xterm(208),     // #ff8700
    accent: xterm(39),   // #00afff
    dim: xterm(250),     // #bcbcbc
    border: xterm(244),  // #808080
    ground: None,
    tint: None,
    field: tint(237),
};

static COLOUR_BLIND_LIGHT: ThemePalette = ThemePalette {
    good: xterm(26),    // #005fd7
    busy: xterm(54),    // #5f0087
    warning: xterm(94), // #875f00
    bad: xterm(52),     // #5f0000
    accent: xterm(26),  // #005fd7
    dim: xterm(240),    // #585858
    border: xterm(244), // #808080
    ground: None,
    tint: None,
    field: tint(253),
};

const fn ink(color: Color) -> Style {
    Style::new().fg(color)
}

const fn xterm(number: u8) -> Style {
    ink(Color::Indexed(number))
}

const fn tint(number: u8) -> Style {
    Style::new().bg(Color::Indexed(number))
}

/// The palette of an appearance. Where the terminal's background is not known, one that must know takes
/// it for dark, as most are; auto leaves the colours to the terminal instead.
pub(crate) fn palette(appearance: Appearance) -> &'static ThemePalette {
    let light = appearance.background == Some(Background::Light);
    match (appearance.theme, appearance.depth) {
        (ThemeName::None, _) | (_, Depth::None) => &PLAIN,
        (ThemeName::Sixteen, _) | (_, Depth::Sixteen) => &SIXTEEN,
        (ThemeName::Auto, Depth::Many) => match appearance.background {
            None => &SIXTEEN,
            Some(Background::Dark) => &DARK,
            Some(Background::Light) => &LIGHT,
        },
        (ThemeName::Dark, Depth::Many) => &DARK,
        (ThemeName::Light, Depth::Many) => &LIGHT,
        (ThemeName::HighContrast, Depth::Many) if light => &HIGH_CONTRAST_LIGHT,
        (ThemeName::HighContrast, Depth::Many) => &HIGH_CONTRAST_DARK,
        (ThemeName::ColourBlind, Depth::Many) if light => &COLOUR_BLIND_LIGHT,
        (ThemeName::ColourBlind, Depth::Many) => &COLOUR_BLIND_DARK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Rgb = [f64; 3];

    /// Backgrounds that dark terminals have: black, and those of widespread themes.
    const DARKS: [u32; 5] = [0x00_0000, 0x1e_1e1e, 0x00_2b36, 0x28_2c34, 0x2e_3440];
    const LIGHTS: [u32; 3] = [0xff_ffff, 0xfd_f6e3, 0xee_eeee];

    /// Linear light of 0 to 1 from an sRGB value of 0 to 255.
    fn linear(value: f64) -> f64 {
        let value = value / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    }

    fn of_hex(hex: u32) -> Rgb {
        [16, 8, 0].map(|shift| linear(f64::from((hex >> shift) & 0xff)))
    }

    /// The settled shades of xterm's colours 16 to 255.
    fn of(color: Color) -> Rgb {
        const LEVELS: [f64; 6] = [0.0, 95.0, 135.0, 175.0, 215.0, 255.0];
        let Color::Indexed(number @ 16..) = color else { panic!("the terminal decides how {color:?} looks") };
        if number >= 232 {
            return [linear(8.0 + 10.0 * f64::from(number - 232)); 3];
        }
        let cube = usize::from(number - 16);
        [cube / 36, cube / 6 % 6, cube % 6].map(|level| linear(LEVELS[level]))
    }

    /// WCAG's contrast of two colours, 1 to 21.
    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let luminance = |[red, green, blue]: Rgb| 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    fn inks(palette: &ThemePalette) -> [(&'static str, Rgb); 6] {
        let ThemePalette { good, busy, warning, bad, accent, dim, .. } = palette;
        let named =
            [("good", good), ("busy", busy), ("warning", warning), ("bad", bad), ("accent", accent), ("dim", dim)];
        named.map(|(name, style)| (name, of(style.fg.expect("a colour"))))
    }

    #[test]
    fn everything_can_be_read_on_every_background_it_is_made_for() {
        for (palette, grounds, least) in [
            (&DARK, &DARKS[..], 4.5),
            (&LIGHT, &LIGHTS[..], 4.5),
            (&COLOUR_BLIND_DARK, &DARKS[..], 4.5),
            (&COLOUR_BLIND_LIGHT, &LIGHTS[..], 4.5),
        ] {
            for &ground in grounds {
                for (name, ink) in inks(palette) {
                    let found = contrast(ink, of_hex(ground));
                    assert!(found >= least, "{name} on {ground:06x}: {found:.2}");
                }
                let found = contrast(of(palette.border.fg.expect("a colour")), of_hex(ground));
                assert!(found >= 3.0, "border on {ground:06x}: {found:.2}");
            }
        }
    }

    #[test]
    fn high_contrast_is_at_least_seven_to_one_on_its_own_background() {
        for palette in [&HIGH_CONTRAST_DARK, &HIGH_CONTRAST_LIGHT] {
            let (text, ground) = palette.ground.expect("it brings its own");
            for (name, ink) in inks(palette).into_iter().chain([("text", of(text))]) {
                let found = contrast(ink, of(ground));
                assert!(found >= 7.0, "{name}: {found:.2}");
            }
        }
    }

    #[test]
    fn what_is_typed_can_be_read_on_the_ground_of_its_field() {
        for (palette, least) in [
            (&DARK, 4.5),
            (&LIGHT, 4.5),
            (&COLOUR_BLIND_DARK, 4.5),
            (&COLOUR_BLIND_LIGHT, 4.5),
            (&HIGH_CONTRAST_DARK, 7.0),
            (&HIGH_CONTRAST_LIGHT, 7.0),
        ] {
            let ground = of(palette.field.bg.expect("a tint"));
            let found = contrast(of(palette.dim.fg.expect("a colour")), ground);
            assert!(found >= least, "dim text on {:?}: {found:.2}", palette.field.bg);
        }
    }

    /// `OKLab`, in which distances are about as they are seen; 0.02 is just noticeable.
    fn oklab([red, green, blue]: Rgb) -> Rgb {
        let long = (0.412_221 * red + 0.536_333 * green + 0.051_446 * blue).max(0.0).cbrt();
        let middle = (0.211_903 * red + 0.680_700 * green + 0.107_397 * blue).max(0.0).cbrt();
        let short = (0.088_302 * red + 0.281_719 * green + 0.629_979 * blue).max(0.0).cbrt();
        [
            0.210_454 * long + 0.793_618 * middle - 0.004_072 * short,
            1.977_998 * long - 2.428_592 * middle + 0.450_594 * short,
            0.025_904 * long + 0.782_772 * middle - 0.808_676 * short,
        ]
    }

    /// What full protanopia, deuteranopia and tritanopia make of a colour (Machado and others,
    /// 2009); first what no deficiency does.
    const SEEN: [[Rgb; 3]; 4] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [[0.152_286, 1.052_583, -0.204_868], [0.114_503, 0.786_281, 0.099_216], [-0.003_882, -0.048_116, 1.051_998]],
        [[0.367_322, 0.860_646, -0.227_968], [0.280_085, 0.672_501, 0.047_413], [-0.011_820, 0.042_940, 0.968_881]],
        [[1.255_528, -0.076_749, -0.178_779], [-0.078_411, 0.930_809, 0.147_602], [0.004_733, 0.691_367, 0.303_900]],
    ];

    fn seen(color: Rgb, by: &[Rgb; 3]) -> Rgb {
        by.map(|row| row.iter().zip(color).map(|(part, light)| part * light).sum::<f64>().clamp(0.0, 1.0))
    }

    fn distance(one: Rgb, other: Rgb) -> f64 {
        one.iter().zip(other).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
    }

    #[test]
    fn the_colour_blind_palettes_distinguish_severities_for_everyone() {
        for palette in [&COLOUR_BLIND_DARK, &COLOUR_BLIND_LIGHT] {
            let severities: Vec<_> = inks(palette).into_iter().filter(|(name, _)| *name != "accent").collect();
            for (at, (one, color)) in severities.iter().enumerate() {
                for (other, another) in &severities[at + 1..] {
                    for (eye, by) in SEEN.iter().enumerate() {
                        let found = distance(oklab(seen(*color, by)), oklab(seen(*another, by)));
                        assert!(found >= 0.1, "{one} and {other}, eye {eye}: {found:.3}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_look_decides_the_palette() {
        let appearance = |theme, depth, background| Appearance { theme, depth, background, ..Appearance::SIXTEEN };
        let (dark, light) = (Some(Background::Dark), Some(Background::Light));
        for (appearance, wanted) in [
            (appearance(ThemeName::Auto, Depth::Many, None), &SIXTEEN),
            (appearance(ThemeName::Auto, Depth::Many, dark), &DARK),
            (appearance(ThemeName::Auto, Depth::Many, light), &LIGHT),
            (appearance(ThemeName::Auto, Depth::Sixteen, light), &SIXTEEN),
            (appearance(ThemeName::Light, Depth::Many, dark), &LIGHT),
            (appearance(ThemeName::Light, Depth::None, None), &PLAIN),
            (appearance(ThemeName::HighContrast, Depth::Many, None), &HIGH_CONTRAST_DARK),
            (appearance(ThemeName::HighContrast, Depth::Many, light), &HIGH_CONTRAST_LIGHT),
            (appearance(ThemeName::ColourBlind, Depth::Many, light), &COLOUR_BLIND_LIGHT),
            (appearance(ThemeName::None, Depth::Many, dark), &PLAIN),
            (Appearance::SIXTEEN, &SIXTEEN),
            (Appearance::PLAIN, &PLAIN),
        ] {
            assert!(std::ptr::eq(palette(appearance), wanted), "{appearance:?}");
        }
    }
}
