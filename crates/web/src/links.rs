//! Addresses of pages, built so that no name in them can be mistaken for a part of the address.

pub(crate) use modelry_core::address::{below, segment};

/// A page with a query; pairs with an empty value are left out.
pub(crate) fn with_query<'a>(page: &str, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut href = page.to_owned();
    let mut separator = '?';
    for (name, value) in pairs {
        if !value.is_empty() {
            href.push(separator);
            href.push_str(name);
            href.push('=');
            href.push_str(&segment(value));
            separator = '&';
        }
    }
    href
}

/// `back` when it leads to a page of this server, else the first page: a link must not send people elsewhere after
/// they typed their password here.
pub(crate) fn safe_back(back: &str) -> &str {
    let is_local = back.starts_with('/') && !back[1..].starts_with(['/', '\\']);
    let is_plain = !back.contains(|c: char| c.is_control() || c == '\\');
    if is_local && is_plain { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_leaves_out_what_is_empty() {
        assert_eq!(
            with_query("/p", [("filter", "a = 'b&c'"), ("order_by", ""), ("x", "1")]),
            "/p?filter=a%20%3D%20%27b%26c%27&x=1"
        );
    }

    #[test]
    fn the_way_back_stays_on_this_server() {
        for elsewhere in
            ["https://evil.example/", "//evil.example", "/\\evil.example", "", "evil", "/a\nb", "/a\\b"]
        {
            assert_eq!(safe_back(elsewhere), "/", "{elsewhere:?}");
        }
        assert_eq!(safe_back("/root/playground?x=1#y"), "/root/playground?x=1#y");
    }
}
