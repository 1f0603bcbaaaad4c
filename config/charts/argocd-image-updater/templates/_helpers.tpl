{{/* Labels of every object. */}}
{{- define "labels" -}}
app.kubernetes.io/name: argocd-image-updater
app.kubernetes.io/part-of: argocd-image-updater
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{/* What selects the pods: the Go program's labels, so that its objects do too. */}}
{{- define "selector" -}}
control-plane: argocd-image-updater-controller
{{- end }}

{{/* The webhook server's port: settings say otherwise, or else the command does. */}}
{{- define "port" -}}
{{- index .Values.settings "webhook.port" | default (ternary "8082" "8080" (eq .Values.command "run")) -}}
{{- end }}

{{/* The namespaces that are watched, and that the roles are for. */}}
{{- define "watched" -}}
{{- join "," (.Values.watchNamespaces | default (list (.Values.argocdNamespace | default .Release.Namespace))) -}}
{{- end }}

{{/* The namespaces with Secrets that hold credentials for registries. All namespaces are not among them. */}}
{{- define "secretNamespaces" -}}
{{- $own := list .Release.Namespace (.Values.argocdNamespace | default .Release.Namespace) -}}
{{- $watched := without (splitList "," (include "watched" .)) "*" -}}
{{- join "," (concat $own $watched .Values.pullSecretNamespaces | uniq) -}}
{{- end }}

{{/* What it may do where ImageUpdaters and Applications are. */}}
{{- define "rules" -}}
rules:
  - apiGroups: [""]
    resources: [events]
    verbs: [create]
  - apiGroups: [argocd-image-updater.argoproj.io]
    resources: [imageupdaters]
    verbs: [list, patch, watch]
  - apiGroups: [argocd-image-updater.argoproj.io]
    resources: [imageupdaters/status]
    verbs: [patch]
  - apiGroups: [argoproj.io]
    resources: [applications]
    verbs: [get, list, patch, watch]
{{- end }}

{{/* Who it is. */}}
{{- define "subjects" -}}
subjects:
  - kind: ServiceAccount
    name: argocd-image-updater-controller
    namespace: {{ .Release.Namespace }}
{{- end }}
