{{- define "tidemark.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tidemark.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tidemark.labels" -}}
{{ include "tidemark.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tidemark.serviceAccount" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "tidemark.name" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "tidemark.container" -}}
image: {{ printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
env:
  # Below the volume, whose own folder may be open to a group: Tidemark makes it for itself alone.
  - name: TIDEMARK_DATA_DIR
    value: /var/lib/tidemark/data
  - name: TIDEMARK_HOST
    value: 0.0.0.0
  - name: TIDEMARK_PORT
    value: '8080'
  - name: TIDEMARK_LOG_LEVEL
    value: {{ .Values.logLevel | quote }}
  {{- with .Values.repository }}
  - name: TIDEMARK_REPOSITORY
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.publicUrl }}
  - name: TIDEMARK_PUBLIC_URL
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.clusterAllow }}
  - name: TIDEMARK_CLUSTER_ALLOW
    value: {{ join "," . | quote }}
  {{- end }}
  {{- with .Values.trustedProxies }}
  - name: TIDEMARK_TRUSTED_PROXIES
    value: {{ join "," . | quote }}
  {{- end }}
  {{- with .Values.secrets.passphrase }}
  - name: TIDEMARK_PASSPHRASE
    valueFrom:
      secretKeyRef:
        name: {{ . }}
        key: passphrase
  {{- end }}
  {{- if .Values.secrets.objectStores }}
  - name: TIDEMARK_OBJECT_STORES
    value: /etc/tidemark/object-stores/object-stores.json
  {{- end }}
  {{- if .Values.secrets.tls }}
  - name: TIDEMARK_TLS_CERT
    value: /etc/tidemark/tls/tls.crt
  - name: TIDEMARK_TLS_KEY
    value: /etc/tidemark/tls/tls.key
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumeMounts:
  - name: data
    mountPath: /var/lib/tidemark
  - name: tmp
    mountPath: /tmp
  {{- if .Values.secrets.objectStores }}
  - name: object-stores
    mountPath: /etc/tidemark/object-stores
    readOnly: true
  {{- end }}
  {{- if .Values.secrets.tls }}
  - name: tls
    mountPath: /etc/tidemark/tls
    readOnly: true
  {{- end }}
{{- end -}}
