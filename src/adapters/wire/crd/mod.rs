//! The definition of the custom resource `ImageUpdater`: the types that its schema is generated from.
//!
//! The schema accepts and rejects what that of the Go program does, so that either definition serves both programs. Objects are not read by
//! these types but by [`image_updater`](super::image_updater), which says everything that is wrong with one, not the first thing alone.

#![expect(
    unreachable_pub,
    reason = "kube's derive makes a copy of each struct inside of a function"
)]

pub mod application_ref;
pub mod image_config;
pub mod images_verification;
pub mod label_selector;
pub mod manifest_target;
pub mod spec;
pub mod status;
pub mod update_settings;
pub mod write_back;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaProps;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrArray;
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::JSONSchemaPropsOrBool;
use kube::CustomResourceExt;

use self::spec::ImageUpdater;

/// The definition, as `kubectl apply` takes it.
#[must_use]
pub fn definition() -> CustomResourceDefinition {
    let mut definition = ImageUpdater::crd();
    definition.spec.names.list_kind = Some("ImageUpdaterList".to_owned());
    let schemas = definition
        .spec
        .versions
        .iter_mut()
        .filter_map(|version| version.schema.as_mut()?.open_api_v3_schema.as_mut());
    for schema in schemas {
        // An object without a spec is admitted; its status says then what is missing.
        schema.required = None;
        schema.title = None;
        forget_nulls(schema);
    }
    definition
}

/// The definition as YAML.
///
/// # Errors
/// The YAML writer's, which none is known for.
pub fn yaml() -> Result<String, serde_saphyr::ser::Error> {
    serde_saphyr::to_string(&definition())
}

/// Takes the mark off optional fields that they may be null. The API server drops a null where there is no mark, and then puts the default
/// there; with the mark it would keep the null.
fn forget_nulls(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    for property in schema
        .properties
        .iter_mut()
        .flat_map(|all| all.values_mut())
    {
        forget_nulls(property);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        forget_nulls(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        forget_nulls(values);
    }
}
