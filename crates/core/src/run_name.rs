//! Names for candidates that were given none, in MLflow's manner: `brave-otter-412`.

/// At most 7 letters each, so that every name fits 20 characters.
const ADJECTIVES: [&str; 165] = [
    "able", "agile", "airy", "alert", "amber", "ample", "apt", "artful", "astute", "aware", "azure", "bold",
    "bonny", "bouncy", "brainy", "brave", "breezy", "bright", "brisk", "bubbly", "calm", "candid", "careful",
    "caring", "chatty", "cheery", "chipper", "civil", "classy", "clear", "clever", "comfy", "cordial",
    "cosy", "crisp", "curious", "dapper", "daring", "dashing", "dear", "decent", "deft", "dreamy", "eager",
    "earnest", "easy", "elegant", "epic", "exact", "fair", "famous", "fancy", "fine", "fleet", "fluent",
    "fond", "frank", "free", "fresh", "funny", "gallant", "genial", "gentle", "gifted", "glad", "gleeful",
    "golden", "good", "grand", "great", "happy", "hardy", "hearty", "helpful", "honest", "humble", "ideal",
    "jaunty", "jolly", "jovial", "joyful", "keen", "kind", "lively", "logical", "loving", "loyal", "lucid",
    "lucky", "lush", "mellow", "merry", "mighty", "mild", "mindful", "modest", "neat", "nifty", "nimble",
    "noble", "open", "orderly", "patient", "perky", "placid", "playful", "poetic", "polite", "proud",
    "quaint", "quick", "quiet", "radiant", "rapid", "ready", "regal", "relaxed", "robust", "rosy", "rustic",
    "serene", "silken", "silver", "simple", "sincere", "skilful", "sleek", "smart", "smiling", "snappy",
    "snug", "social", "solid", "sparkly", "spruce", "stable", "steady", "stellar", "sturdy", "suave",
    "sunny", "super", "swift", "tactful", "tender", "tidy", "timely", "trusty", "unique", "upbeat",
    "valiant", "velvet", "vibrant", "vivid", "warm", "welcome", "whole", "willing", "winning", "wise",
    "witty", "worthy", "zany", "zesty", "zippy",
];

/// At most 7 letters each.
const NOUNS: [&str; 198] = [
    "acorn", "almond", "anchor", "antler", "apple", "apricot", "arch", "aspen", "atlas", "aurora", "autumn",
    "badger", "bagpipe", "bamboo", "banjo", "basil", "beacon", "beaver", "beetle", "birch", "bison",
    "bonfire", "breeze", "bridge", "brook", "bugle", "cabin", "cactus", "camel", "candle", "canoe", "canyon",
    "cedar", "cello", "cherry", "cinema", "cloud", "clover", "cobalt", "comet", "compass", "copper", "coral",
    "cosmos", "cove", "cricket", "crystal", "cypress", "daisy", "dolphin", "dragon", "eagle", "ember",
    "falcon", "fern", "ferret", "finch", "fiord", "flute", "forest", "fossil", "fox", "galaxy", "garden",
    "garnet", "gazelle", "geyser", "ginger", "glacier", "glade", "goose", "granite", "grove", "harbour",
    "harp", "hazel", "heron", "hill", "horizon", "iris", "island", "ivy", "jasmine", "jigsaw", "juniper",
    "kayak", "kestrel", "kettle", "kiwi", "koala", "lagoon", "lantern", "lark", "laurel", "lemon", "lily",
    "linnet", "llama", "lotus", "lynx", "magpie", "mango", "maple", "marble", "marmot", "meadow", "melon",
    "meteor", "mint", "moon", "moss", "nebula", "newt", "nutmeg", "oak", "oasis", "ocean", "octopus",
    "olive", "opal", "orbit", "orchard", "orchid", "osprey", "otter", "owl", "pagoda", "panda", "papaya",
    "parrot", "peach", "peacock", "pebble", "pelican", "pepper", "piano", "pine", "planet", "plum", "pollen",
    "pond", "poppy", "prairie", "prism", "puffin", "puma", "quail", "quartz", "quokka", "rabbit", "raven",
    "reef", "ribbon", "ridge", "river", "robin", "rocket", "saffron", "sail", "salmon", "sapling", "sequoia",
    "shore", "sierra", "skylark", "sparrow", "squid", "stream", "sundial", "swan", "tapir", "teapot",
    "thistle", "thrush", "thyme", "tide", "tiger", "topaz", "toucan", "trail", "trumpet", "tulip", "tundra",
    "turtle", "valley", "vine", "violet", "volcano", "walnut", "walrus", "willow", "wombat", "wren", "yak",
    "yarrow", "zebra", "zephyr", "zinnia",
];

/// Numbers go from 0 to this.
const MAX_NUMBER: u64 = 1_000;

/// A name made of `random` bytes: adjective, noun and a number up to 1,000, in at most 20 characters.
///
/// Names are for people; two candidates may have the same one.
pub fn random_run_name(random: [u8; 8]) -> String {
    let mut rest = u64::from_le_bytes(random);
    let mut below = |count: u64| {
        let drawn = rest % count;
        rest /= count;
        drawn
    };
    let number = below(MAX_NUMBER + 1);
    let adjective = pick(&ADJECTIVES, &mut below);
    let noun = pick(&NOUNS, &mut below);
    format!("{adjective}-{noun}-{number}")
}

fn pick(words: &[&'static str], below: &mut impl FnMut(u64) -> u64) -> &'static str {
    let index = below(words.len() as u64);
    words[usize::try_from(index).expect("an index into a list fits")]
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    #[test]
    fn no_word_is_there_twice() {
        let words: Vec<_> = ADJECTIVES.iter().chain(&NOUNS).collect();
        assert_eq!(words.iter().collect::<BTreeSet<_>>().len(), words.len());
    }

    #[test]
    fn words_are_short_enough_and_of_small_letters() {
        for word in ADJECTIVES.iter().chain(&NOUNS) {
            assert!(word.len() <= 7 && word.bytes().all(|byte| byte.is_ascii_lowercase()), "{word}");
        }
    }

    #[test]
    fn the_greatest_number_is_1000() {
        assert!(random_run_name(1_000_u64.to_le_bytes()).ends_with("-1000"));
        assert!(random_run_name(1_001_u64.to_le_bytes()).ends_with("-0"));
    }

    #[test]
    fn every_word_can_be_drawn() {
        // The words are drawn by what the number leaves of the bytes, so stepping by its range walks through the words.
        let pairs = (ADJECTIVES.len() * NOUNS.len()) as u64;
        let names = (0..pairs).map(|pair| random_run_name((pair * (MAX_NUMBER + 1)).to_le_bytes()));
        assert_eq!(names.collect::<BTreeSet<_>>().len() as u64, pairs);
    }

    proptest! {
        #[test]
        fn a_name_is_adjective_noun_number_of_at_most_20_characters(random in any::<[u8; 8]>()) {
            let name = random_run_name(random);
            prop_assert!(name.len() <= 20, "{}", name);
            let parts: Vec<&str> = name.split('-').collect();
            prop_assert_eq!(parts.len(), 3);
            prop_assert!(parts[2].parse::<u64>().is_ok_and(|number| number <= 1_000));
        }
    }
}
