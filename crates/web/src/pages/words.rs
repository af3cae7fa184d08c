//! `/help/words`.

use crate::answer::Page;
use crate::views::words::WordsPage;
use crate::visit::Visit;

/// What the words mean.
pub(crate) async fn show_words(visit: Visit) -> Page<WordsPage> {
    Page(WordsPage::new(visit.shell("Words")))
}
