//! What each entity can be searched by: one table of attributes per entity, and the families of keys it has.
//!
//! A new entity is a new table here and nothing else in the grammar.

use std::fmt::Debug;

/// An attribute of one entity; the implementations are the enums below.
pub trait Attribute: Copy + Debug + Eq + 'static {
    /// The name that is printed; the first one of its row in the table.
    fn name(self) -> &'static str;
}

/// What an entity can be searched by. Immutable; see [`CANDIDATES`] and its neighbours.
#[derive(Debug)]
pub struct Entity<A: 'static> {
    /// The attributes, in the order in which messages list them.
    pub(super) attributes: &'static [Row<A>],
    /// Words that may stand before the dot of an attribute.
    pub(super) attribute_words: &'static [&'static str],
    /// Families of keys a filter may name.
    pub(super) filter_families: &'static [Family],
    /// Families of keys `order_by` may name.
    pub(super) order_families: &'static [Family],
    /// Whether a text may stand without quotes, as MLflow tolerates for logged models.
    pub(super) values: Values,
}

/// One attribute of an entity.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<A: 'static> {
    pub(super) attribute: A,
    /// Every name it is known by, the one to print first.
    pub(super) names: &'static [&'static str],
    pub(super) kind: ValueKind,
    pub(super) sorting: Sorting,
}

/// What an attribute is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ValueKind {
    /// Quoted text.
    Text,
    /// An unquoted whole number.
    Integer,
    /// A whole number that MLflow writes as text: quoted or not, matched for equality or by pattern.
    Id,
    /// A whole number that counts things: quoted or not, compared or listed.
    Ordinal,
    /// Nothing: it is there to order by, and no filter names it.
    Unsearchable,
}

/// Whether `order_by` may name an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sorting {
    Sortable,
    Unsortable,
}

/// How texts have to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    Quoted,
    QuotedOrBare,
}

/// A family of names that users choose, or of the datasets' attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Metrics,
    Params,
    Metadata,
    Datasets,
}

impl Family {
    const ALL: [Self; 4] = [Self::Metrics, Self::Params, Self::Metadata, Self::Datasets];

    /// The words before the dot, the one to print first.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Metrics => &["metrics", "metric"],
            Self::Params => &["params", "param", "parameters", "parameter"],
            Self::Metadata => &["tags", "tag", "metadata"],
            Self::Datasets => &["datasets", "dataset"],
        }
    }

    /// The family that `word` names.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.words().contains(&word))
    }

    /// The word that is printed. `tags`, because MLflow's own server reads that too.
    pub(super) fn word(self) -> &'static str {
        self.words()[0]
    }
}

impl<A: Attribute> Entity<A> {
    /// The attribute known as `name`, whichever of its names that is.
    pub(super) fn find(&self, name: &str) -> Option<&'static Row<A>> {
        self.attributes.iter().find(|row| row.names.contains(&name))
    }

    /// The line of `attribute` in the table.
    pub(super) fn row(&self, attribute: A) -> &'static Row<A> {
        let row = self.attributes.iter().find(|row| row.attribute == attribute);
        row.expect("the table and the enum are made from the same lines")
    }
}

/// Makes the enum of an entity's attributes and its table from one list, so that neither can lack a line.
macro_rules! attributes {
    ($(#[$doc:meta])* $name:ident, $rows:ident {
        $($(#[$variant_doc:meta])* $variant:ident: $kind:ident, $sorting:ident, $first:literal $(| $other:literal)*;)*
    }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl Attribute for $name {
            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $first,)*
                }
            }
        }

        const $rows: &[Row<$name>] = &[
            $(Row {
                attribute: $name::$variant,
                names: &[$first $(, $other)*],
                kind: ValueKind::$kind,
                sorting: Sorting::$sorting,
            },)*
        ];
    };
}

attributes! {
    /// What a candidate (MLflow's run) can be searched by, besides metrics, params, metadata and datasets.
    CandidateAttribute, CANDIDATE_ATTRIBUTES {
        /// The public id.
        Eid: Text, Sortable, "run_id" | "eid";
        /// The name.
        Name: Text, Sortable, "run_name" | "run name" | "Run name" | "Run Name";
        /// The user that the client sent.
        UserId: Text, Sortable, "user_id";
        /// The status by its MLflow name: `FINISHED` and so on.
        Status: Text, Sortable, "status";
        /// Where the artifacts are, as clients are told.
        ArtifactUri: Text, Sortable, "artifact_uri";
        /// When it started, in milliseconds since the epoch.
        StartTime: Integer, Sortable, "start_time" | "created" | "Created";
        /// When it ended, in milliseconds since the epoch.
        EndTime: Integer, Sortable, "end_time";
    }
}

attributes! {
    /// What an experiment can be searched by, besides metadata.
    ExperimentAttribute, EXPERIMENT_ATTRIBUTES {
        /// The name.
        Name: Text, Sortable, "name";
        /// The number within the project.
        Id: Id, Sortable, "experiment_id";
        /// When it was made, in milliseconds since the epoch.
        CreationTime: Integer, Sortable, "creation_time";
        /// When it was last changed, in milliseconds since the epoch.
        LastUpdateTime: Integer, Sortable, "last_update_time";
    }
}

attributes! {
    /// What a logged model can be searched by, besides metrics, params and metadata.
    LoggedModelAttribute, LOGGED_MODEL_ATTRIBUTES {
        /// The name.
        Name: Text, Sortable, "name";
        /// The public id, `m-...`.
        Eid: Text, Unsortable, "model_id";
        /// The type that the client sent.
        ModelType: Text, Unsortable, "model_type";
        /// The status by its short name: `READY`, `PENDING`, `FAILED`.
        Status: Text, Unsortable, "status";
        /// The public id of the candidate that made it.
        SourceRunId: Text, Unsortable, "source_run_id";
        /// The number of its experiment.
        ExperimentId: Id, Unsortable, "experiment_id";
        /// Where the files are, as clients are told.
        ArtifactLocation: Text, Unsortable, "artifact_location";
        /// When it was made, in milliseconds since the epoch.
        CreationTime: Integer, Sortable, "creation_timestamp" | "creation_time" | "creation_timestamp_ms";
        /// When it was last changed, in milliseconds since the epoch.
        LastUpdateTime: Integer, Sortable, "last_updated_timestamp" | "last_updated_timestamp_ms";
    }
}

attributes! {
    /// What a model (MLflow's registered model) can be searched by, besides metadata.
    ModelAttribute, MODEL_ATTRIBUTES {
        /// The name.
        Name: Text, Sortable, "name";
        /// When it was last changed, in milliseconds since the epoch.
        LastUpdateTime: Unsearchable, Sortable, "last_updated_timestamp" | "timestamp";
    }
}

attributes! {
    /// What a version of a model can be searched by, besides metadata.
    VersionAttribute, VERSION_ATTRIBUTES {
        /// The name of its model.
        Name: Text, Sortable, "name";
        /// The sequence number.
        Number: Ordinal, Sortable, "version_number";
        /// The public id of its candidate, as the client sent it.
        RunId: Text, Unsortable, "run_id";
        /// Where it was registered from, as the client sent it.
        Source: Text, Unsortable, "source_path";
        /// When it was made, in milliseconds since the epoch.
        CreationTime: Unsearchable, Sortable, "creation_timestamp";
        /// When it was last changed, in milliseconds since the epoch.
        LastUpdateTime: Unsearchable, Sortable, "last_updated_timestamp";
    }
}

/// Candidates (MLflow's runs).
pub static CANDIDATES: Entity<CandidateAttribute> = Entity {
    attributes: CANDIDATE_ATTRIBUTES,
    attribute_words: &["attributes", "attribute", "attr", "run"],
    filter_families: &[Family::Metrics, Family::Params, Family::Metadata, Family::Datasets],
    order_families: &[Family::Metrics, Family::Params, Family::Metadata],
    values: Values::Quoted,
};

/// Experiments.
pub static EXPERIMENTS: Entity<ExperimentAttribute> = Entity {
    attributes: EXPERIMENT_ATTRIBUTES,
    attribute_words: &["attributes", "attribute", "attr"],
    filter_families: &[Family::Metadata],
    order_families: &[],
    values: Values::Quoted,
};

/// Logged models.
pub static LOGGED_MODELS: Entity<LoggedModelAttribute> = Entity {
    attributes: LOGGED_MODEL_ATTRIBUTES,
    attribute_words: &["attributes", "attribute", "attr"],
    filter_families: &[Family::Metrics, Family::Params, Family::Metadata],
    order_families: &[Family::Metrics],
    values: Values::QuotedOrBare,
};

/// Models (MLflow's registered models).
pub static MODELS: Entity<ModelAttribute> = Entity {
    attributes: MODEL_ATTRIBUTES,
    attribute_words: &["attributes", "attribute", "attr"],
    filter_families: &[Family::Metadata],
    order_families: &[],
    values: Values::Quoted,
};

/// Versions of models.
pub static VERSIONS: Entity<VersionAttribute> = Entity {
    attributes: VERSION_ATTRIBUTES,
    attribute_words: &["attributes", "attribute", "attr"],
    filter_families: &[Family::Metadata],
    order_families: &[],
    values: Values::Quoted,
};
