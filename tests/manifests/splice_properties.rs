//! Edits of generated texts: only the named value changes, and only bytes on its lines.

use image_updater::adapters::manifests::splice;
use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::kustomize_image::KustomizeImage;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::domain::resources::resource::ResourceId;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestCaseError;
use serde_json::Value;
use serde_json::json;

/// How a manifest is written.
#[derive(Debug, Clone)]
struct Style {
    step: usize,
    dash: usize,
    line_break: &'static str,
    flow: bool,
    /// Comments and blank lines, drawn from again and again.
    noise: Vec<Index>,
    byte_order_mark: bool,
    last_break: bool,
    documents: (Vec<Index>, Vec<Index>),
}

fn style() -> impl Strategy<Value = Style> {
    (
        prop_oneof![Just(2_usize), Just(4)],
        any::<bool>(),
        prop_oneof![Just("\n"), Just("\r\n")],
        any::<bool>(),
        prop::collection::vec(any::<Index>(), 1..12),
        any::<bool>(),
        any::<bool>(),
        (
            prop::collection::vec(any::<Index>(), 0..3),
            prop::collection::vec(any::<Index>(), 0..3),
        ),
    )
        .prop_map(
            |(step, indented, line_break, flow, noise, mark, last_break, documents)| Style {
                step,
                dash: if indented { step } else { 0 },
                line_break,
                flow,
                noise,
                byte_order_mark: mark,
                last_break,
                documents,
            },
        )
}

/// A scalar and how it is quoted: plain where it may be, in single quotes, in double quotes.
fn quoted(text: &str, style: usize) -> String {
    match style % 3 {
        0 if is_plain(text) => text.to_owned(),
        2 => serde_json::to_string(text).unwrap(),
        _ => format!("'{}'", text.replace('\'', "''")),
    }
}

fn is_plain(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b":/.".contains(&byte);
    text.contains('/')
        && text.bytes().all(inner)
        && text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric())
}

/// Lines of a manifest. Each gets some noise behind it.
struct Lines<'s> {
    style: &'s Style,
    out: Vec<String>,
}

impl Lines<'_> {
    fn add(&mut self, column: usize, text: &str) {
        let noise = &self.style.noise;
        let drawn = noise[self.out.len() % noise.len()];
        let indent = " ".repeat(column);
        let (behind, below) = *drawn.get(&[
            ("", None),
            ("   ", None),
            ("  # note: [x", None),
            ("\t# tab", None),
            ("", Some("")),
            (" # \"é", Some("    ")),
            ("", Some("# between - a: b")),
        ]);
        self.out.push(format!("{indent}{text}{behind}"));
        self.out.extend(below.map(str::to_owned));
    }
}

/// What stands in lists of a source: helm parameters, kustomize images, plugin variables.
#[derive(Debug, Clone)]
struct Lists {
    parameters: Vec<(String, usize)>,
    images: Vec<(String, usize)>,
    variables: Vec<(String, usize)>,
}

fn lists() -> impl Strategy<Value = Lists> {
    let values = || prop::collection::vec(("[a-zA-Z0-9:/.' #-]{0,12}", 0..3_usize), 0..4);
    (values(), values(), values()).prop_map(|(parameters, mut images, variables)| {
        for (index, (image, _)) in images.iter_mut().enumerate() {
            image.extend([":v", &index.to_string()]);
        }
        Lists {
            parameters,
            images,
            variables,
        }
    })
}

fn manifest(style: &Style, lists: &Lists) -> String {
    let mut lines = Lines {
        style,
        out: Vec::new(),
    };
    let step = style.step;
    lines.add(0, "apiVersion: argoproj.io/v1alpha1");
    lines.add(0, "kind: Application");
    lines.add(0, "metadata: {name: shop}");
    lines.add(0, "spec:");
    lines.add(step, "source:");
    named_list(&mut lines, "helm", "parameters", &lists.parameters);
    lines.add(2 * step, "path: 'x'");
    named_list(&mut lines, "plugin", "env", &lists.variables);
    let images: Vec<_> = lists
        .images
        .iter()
        .map(|(image, style)| quoted(image, *style))
        .collect();
    list(
        &mut lines,
        "kustomize",
        "images",
        &images,
        |column, image| vec![format!("{}- {image}", " ".repeat(column))],
    );
    lines.add(step, "project: default");
    lines.out.join(style.line_break)
}

fn named_list(lines: &mut Lines<'_>, block: &str, key: &str, values: &[(String, usize)]) {
    let entries: Vec<_> = values
        .iter()
        .enumerate()
        .map(|(index, (value, style))| {
            (
                format!("name: n{index}"),
                format!("value: {}", quoted(value, *style)),
            )
        })
        .collect();
    if lines.style.flow {
        let entries: Vec<_> = entries
            .iter()
            .map(|(name, value)| format!("{{{name}, {value}}}"))
            .collect();
        list(lines, block, key, &entries, |_, _| Vec::new());
        return;
    }
    let flat: Vec<_> = entries
        .iter()
        .map(|(name, value)| format!("{name}\n{value}"))
        .collect();
    list(lines, block, key, &flat, |column, entry| {
        let (name, value) = entry.split_once('\n').unwrap();
        let indent = " ".repeat(column);
        vec![format!("{indent}- {name}"), format!("{indent}  {value}")]
    });
}

/// A list in its block. One without entries is not there, or is empty in one of several ways.
fn list(
    lines: &mut Lines<'_>,
    block: &str,
    key: &str,
    entries: &[String],
    item: impl Fn(usize, &str) -> Vec<String>,
) {
    let (outer, inner) = (2 * lines.style.step, 3 * lines.style.step);
    if entries.is_empty() {
        let empties = [
            "",
            "{block}: {}",
            "{block}:",
            "{block}: {{key}: []}",
            "{block}: ~",
            "{block}: {{key}: }",
        ];
        let drawn = lines.style.noise[block.len() % lines.style.noise.len()];
        let text = drawn
            .get(&empties)
            .replace("{block}", block)
            .replace("{key}", key);
        if !text.is_empty() {
            lines.add(outer, &text);
        }
        return;
    }
    if lines.style.flow {
        lines.add(
            outer,
            &format!("{block}: {{ {key}: [{}] }}", entries.join(", ")),
        );
        return;
    }
    lines.add(outer, &format!("{block}:"));
    lines.add(inner, &format!("{key}:"));
    let dash = lines.style.dash;
    for entry in entries {
        for line in item(inner + dash, entry) {
            lines.add(0, &line);
        }
    }
}

/// The text before, the manifest and the text after it.
fn file(style: &Style, manifest: &str) -> (String, String, String) {
    let others = [
        "kind: ConfigMap\ndata: {argoproj.io: shop}",
        "# nothing",
        "broken: [\n  argoproj.io",
        "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: other}\nspec: {source: {}}",
    ];
    let part =
        |index: &Index| format!("---\n{}\n", index.get(&others)).replace('\n', style.line_break);
    let mut before: String = style.documents.0.iter().map(part).collect();
    let mut after: String = style.documents.1.iter().map(part).collect();
    if !before.is_empty() {
        before += "---";
        before += style.line_break;
    }
    if style.byte_order_mark {
        before.insert(0, '\u{feff}');
    }
    let mut manifest = manifest.to_owned();
    if style.last_break || !after.is_empty() {
        manifest.push_str(style.line_break);
    } else {
        after.clear();
    }
    (before, manifest, after)
}

fn change(edit: Edit) -> ApplicationChange {
    ApplicationChange {
        application: ResourceId {
            namespace: "argocd".to_owned(),
            name: "shop".to_owned(),
        },
        source: SourcePlace::Single,
        edits: vec![edit],
        images: Vec::new(),
    }
}

/// What an edit does to the lines of a text.
struct Effect {
    /// It replaces a value on its line.
    replaces: bool,
    /// It adds lines.
    adds: bool,
}

/// An edit of the lists, and what it makes of the value of the manifest. `entry` past the last one adds one.
fn edit(
    kind: usize,
    entry: Index,
    value: &str,
    lists: &Lists,
    manifest: &mut Value,
) -> (Edit, Effect) {
    let (block, key, entries) = [
        ("helm", "parameters", &lists.parameters),
        ("kustomize", "images", &lists.images),
        ("plugin", "env", &lists.variables),
    ][kind];
    let index = entry.index(entries.len() + 1);
    let expected = entries.get(index).map(|(text, _)| text.clone());
    let appends = expected.is_none();
    let source = &mut manifest["spec"]["source"];
    if !source[block].is_object() {
        source[block] = json!({});
    }
    if !source[block][key].is_array() {
        source[block][key] = json!([]);
    }
    let list = source[block][key].as_array_mut().unwrap();
    if appends {
        list.push(Value::Null);
    }
    let item = &mut list[index];
    let name = if appends {
        "new".to_owned()
    } else {
        format!("n{index}")
    };
    let value = value.to_owned();
    let edit = match kind {
        0 => Edit::HelmParameter {
            name: name.clone(),
            expected,
            value: value.clone(),
        },
        1 => Edit::KustomizeImage {
            expected,
            value: value.clone(),
        },
        _ => Edit::PluginEnv {
            name: name.clone(),
            expected,
            value: value.clone(),
        },
    };
    if kind == 1 {
        *item = json!(value);
    } else {
        *item = json!({"name": name, "value": value});
    }
    let number = value.parse::<i64>().is_ok() && (value == "0" || !value.starts_with('0'));
    let word = ["true", "false", "null"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word));
    let forced = kind == 0 && (appends || number || word);
    if forced {
        item["forceString"] = json!(true);
    }
    let effect = Effect {
        replaces: !appends,
        adds: appends || forced,
    };
    (edit, effect)
}

fn parse(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Whether one text has the lines of another and some more, where lines that a flow collection stands on may differ.
fn only_adds_lines(before: &str, after: &str, replaces: bool) -> bool {
    let bare = |line: &str| {
        line.split(['#', '[', '{', '~'])
            .next()
            .unwrap()
            .trim_end()
            .to_owned()
    };
    let mut after = after.split('\n').map(bare);
    before
        .split('\n')
        .filter(|line| !(replaces && line.contains("value: ")))
        .map(bare)
        .all(|line| after.any(|other| other == line))
}

fn differing_lines(before: &str, after: &str) -> usize {
    let pairs = before.split('\n').zip(after.split('\n'));
    pairs.filter(|(before, after)| before != after).count()
}

fn check(
    style: &Style,
    lists: &Lists,
    kind: usize,
    entry: Index,
    value: &str,
) -> Result<(), TestCaseError> {
    let written = manifest(style, lists);
    let (before, manifest, after) = file(style, &written);
    let mut wanted = parse(&manifest);
    let (edit, effect) = edit(kind, entry, value, lists, &mut wanted);
    let text = format!("{before}{manifest}{after}");
    let edited = splice::apply(&text, &change(edit.clone()), "argocd");
    prop_assert!(edited.is_ok(), "{edit:?} of\n{text}\nis {edited:?}");
    let edited = edited.unwrap();
    prop_assert!(
        edited.starts_with(&before) && edited.ends_with(&after),
        "other documents changed:\n{edited}"
    );
    let edited = &edited[before.len()..edited.len() - after.len()];
    prop_assert_eq!(&parse(edited), &wanted, "{}\nbecame\n{}", manifest, edited);
    if effect.adds {
        prop_assert!(
            only_adds_lines(&manifest, edited, effect.replaces),
            "lines changed:\n{manifest}\nbecame\n{edited}"
        );
    } else {
        prop_assert_eq!(
            manifest.lines().count(),
            edited.lines().count(),
            "{}",
            edited
        );
        prop_assert!(
            differing_lines(&manifest, edited) <= 1,
            "lines changed:\n{edited}"
        );
    }
    prop_assert_eq!(manifest.ends_with('\n'), edited.ends_with('\n'));
    if style.line_break == "\r\n" {
        prop_assert_eq!(edited.matches('\n').count(), edited.matches("\r\n").count());
    }
    Ok(())
}

proptest! {
    #[test]
    fn an_edit_changes_only_the_value_it_names(
        style in style(), lists in lists(), kind in 0..3_usize, entry: Index,
        value in prop_oneof!["[a-z/]{1,8}:[0-9a-z.-]{1,6}", "[0-9]{1,8}", "[0-9.xe]{1,4}", any::<String>()],
    ) {
        // An image that is there already is no new one.
        let new = KustomizeImage::parse(&value);
        let is_there = |image| KustomizeImage::parse(image).is_in_place_of(&new);
        prop_assume!(kind != 1 || !lists.images.iter().any(|(image, _)| is_there(image)));
        check(&style, &lists, kind, entry, &value)?;
    }

    #[test]
    fn whatever_the_text_an_edit_is_right_or_not_made(
        style in style(), lists in lists(), kind in 0..3_usize, entry: Index,
        damage in prop::collection::vec((any::<Index>(), any::<Index>(), 0..4_usize), 1..6),
    ) {
        const BITS: [&str; 24] = [
            " ", "  ", "\n", "\r", "\t", "-", "- ", ":", ": ", "#", " #", "[", "]", "{", "}", ",", "&a ", "*a", "!t ", "'", "\"", "|\n", "<<: *a\n", "? ",
        ];
        let (before, manifest, after) = file(&style, &manifest(&style, &lists));
        let (edit, _) = edit(kind, entry, "nginx:1.27", &lists, &mut parse(&manifest));
        let mut text = format!("{before}{manifest}{after}");
        for (place, bit, removed) in damage {
            let chars: Vec<_> = text.char_indices().map(|(at, _)| at).collect();
            let at = place.index(chars.len());
            let end = chars.get(at + removed).copied().unwrap_or(text.len());
            text.replace_range(chars[at]..end, BITS[bit.index(BITS.len())]);
        }
        let change = change(edit);
        if let Ok(edited) = splice::apply(&text, &change, "argocd") {
            // Whatever it was, the edit must be there now: making it again finds the new value in its place.
            let again = splice::apply(&edited, &change, "argocd");
            prop_assert!(again.is_err(), "the edit did not come out:\n{edited}");
            let removed_bytes = text.len().saturating_sub(edited.len());
            prop_assert!(removed_bytes < 40, "{text}\nbecame\n{edited}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-a:#&*!|>'\"%@`{}\\[\\], \n\r\t?<=~0\u{feff}é]{0,60}", kind in 0..3_usize, entry: Index) {
        let lists = Lists { parameters: Vec::new(), images: Vec::new(), variables: Vec::new() };
        let (edit, _) = edit(kind, entry, "nginx:1.27", &lists, &mut json!({"spec": {"source": {}}}));
        let text = format!("apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {{name: shop}}\nspec:\n  source:\n    {text}");
        _ = splice::apply(&text, &change(edit), "argocd");
    }
}
