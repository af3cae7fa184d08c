//! What surrounds every page: title, navigation, the way back, the caller, the colour scheme.

/// What the layout prints around a page.
#[derive(Clone, Debug)]
pub struct Shell {
    /// The browser title, most specific part first, without the product's name.
    pub title: String,
    /// Light, dark, or as the system says.
    pub theme: Theme,
    /// The signed-in user; `None` for an anonymous visitor of a public page.
    pub user: Option<Viewer>,
    /// The project that the page belongs to.
    pub project: Option<ProjectNav>,
    /// From the project to this page; the last one is the page itself and carries no link.
    pub crumbs: Vec<Crumb>,
    /// What the last action led to, shown once.
    pub notice: Option<String>,
    /// The path of this page: where signing in leads back to.
    pub here: String,
}

/// The colour scheme of a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// As the reader's system says.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

impl Theme {
    /// The cookie that keeps the choice. It holds no secret: the page's script writes it.
    pub const COOKIE: &str = "modelry_theme";

    /// The scheme that a cookie value names; anything unknown is the system's.
    pub fn from_cookie(value: &str) -> Self {
        match value {
            "light" => Self::Light,
            "dark" => Self::Dark,
            _ => Self::System,
        }
    }

    /// The value of `data-theme` on the root element, which the style sheet and the script read.
    pub fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The signed-in user, as the menu shows it.
#[derive(Clone, Debug)]
pub struct Viewer {
    /// The name one signs in with.
    pub username: String,
    /// Administrators see the page of users.
    pub is_admin: bool,
    /// The token that every form of this session carries against cross-site requests.
    pub csrf: String,
}

/// The project that a page belongs to, as the sidebar shows it.
#[derive(Clone, Debug)]
pub struct ProjectNav {
    /// The name for people.
    pub name: String,
    /// `/group/project`: the prefix of every page of the project.
    pub href: String,
    /// Which entry of the sidebar is current.
    pub section: Section,
    /// Whether the caller may open the settings.
    pub can_manage: bool,
    /// Whether the caller may see who the members are.
    pub can_see_members: bool,
}

/// An entry of a project's sidebar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The project's first page.
    Overview,
    /// Analyze > Model experiments.
    Experiments,
    /// Deploy > Package registry.
    Packages,
    /// Deploy > Model registry.
    Models,
    /// Manage > Members.
    Members,
    /// Settings > General.
    General,
}

/// One step of the path to a page.
#[derive(Clone, Debug)]
pub struct Crumb {
    /// The word.
    pub label: String,
    /// Where it leads; `None` for the page itself.
    pub href: Option<String>,
}

impl Crumb {
    /// A step that leads somewhere.
    pub fn link(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: Some(href.into()) }
    }

    /// The page itself.
    pub fn here(label: impl Into<String>) -> Self {
        Self { label: label.into(), href: None }
    }
}

impl Shell {
    /// The form field that proves a request comes from our own page; empty for anonymous visitors, who own no forms.
    pub fn csrf(&self) -> &str {
        self.user.as_ref().map_or("", |user| &user.csrf)
    }

    /// Whether `section` is the current entry of the sidebar.
    pub fn is_in(&self, section: Section) -> bool {
        self.project.as_ref().is_some_and(|project| project.section == section)
    }
}
