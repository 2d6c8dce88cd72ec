package main

import "fmt"

// images are what people run: most say nothing about logs, some need a volume, some record nothing until configured.
func images() []string {
	return []string{
		"nginx:1.27", "redis:7.4", "postgres:17", "ghcr.io/acme/shop-api:2.14.0", "traefik:v3.1", "mysql:8.4",
		"tomcat:10.1", "python:3.13-slim", "node:22-alpine", "rabbitmq:4-management", "httpd:2.4", "ghcr.io/acme/worker:main",
		"mongo:8", "memcached:1.6", "quay.io/keycloak/keycloak:26.0", "grafana/grafana:11.3.0",
	}
}

// app writes one application: in one file, in a file per object, or with a kustomization.
func app(i int, put func(name, content string)) {
	name := fmt.Sprintf("app-%05d", i)
	dir := fmt.Sprintf("apps/team-%02d/%s/", i%40, name)
	image := images()[i%len(images())]
	switch i % 4 {
	case 0: // everything in one file
		put(dir+name+".yaml", deployment(name, image, i)+"---\n"+service(name)+"---\n"+configMap(name)+"---\n"+ingress(name))
	case 1: // a base that a kustomization lists
		put(dir+"kustomization.yaml", fmt.Sprintf(`apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: team-%02d
resources:
  - deployment.yaml
  - service.yaml
  - configmap.yaml
  - ingress.yaml
`, i%40))
		fallthrough
	default: // a file per object
		put(dir+"deployment.yaml", deployment(name, image, i))
		put(dir+"service.yaml", service(name))
		put(dir+"configmap.yaml", configMap(name))
		put(dir+"ingress.yaml", ingress(name))
	}
}

func deployment(name, image string, i int) string {
	volumes := ""
	mounts := ""
	if i%5 == 0 { // some mount a folder for logs
		mounts = "            - name: logs\n              mountPath: /var/log/app\n"
		volumes = "        - name: logs\n          emptyDir: {}\n"
	}
	return fmt.Sprintf(`apiVersion: apps/v1
kind: Deployment
metadata:
  name: %[1]s
  labels:
    app.kubernetes.io/name: %[1]s
    app.kubernetes.io/part-of: shop
spec:
  replicas: %[3]d
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: %[1]s
  template:
    metadata:
      labels:
        app.kubernetes.io/name: %[1]s
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9100"
    spec:
      serviceAccountName: %[1]s
      securityContext:
        runAsNonRoot: true
        fsGroup: 2000
      containers:
        - name: main
          image: %[2]s
          imagePullPolicy: IfNotPresent
          ports:
            - name: http
              containerPort: 8080
          env:
            - name: LOG_LEVEL
              value: info
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
          envFrom:
            - configMapRef:
                name: %[1]s
          resources:
            requests: {cpu: 50m, memory: 64Mi}
            limits: {memory: 256Mi}
          readinessProbe:
            httpGet: {path: /healthz, port: http}
            periodSeconds: 10
          livenessProbe:
            httpGet: {path: /healthz, port: http}
            initialDelaySeconds: 20
          volumeMounts:
            - name: config
              mountPath: /etc/app
%[4]s      volumes:
        - name: config
          configMap:
            name: %[1]s
%[5]s`, name, image, 1+i%3, mounts, volumes)
}

func service(name string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Service
metadata:
  name: %[1]s
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: %[1]s
  ports:
    - name: http
      port: 80
      targetPort: http
`, name)
}

func configMap(name string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: ConfigMap
metadata:
  name: %[1]s
data:
  FEATURE_SEARCH: "on"
  DATABASE_HOST: db.%[1]s.svc
  app.properties: |
    server.port=8080
    server.shutdown=graceful
    cache.ttl=300
    # the queue is shared with the workers
    queue.name=%[1]s-events
`, name)
}

func ingress(name string) string {
	return fmt.Sprintf(`apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: %[1]s
  annotations:
    cert-manager.io/cluster-issuer: letsencrypt
spec:
  ingressClassName: nginx
  tls:
    - hosts: [%[1]s.example.com]
      secretName: %[1]s-tls
  rules:
    - host: %[1]s.example.com
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: %[1]s
                port:
                  name: http
`, name)
}

// project is one Compose project of three services: a proxy, an application, a database.
func project(i int) string {
	all := images()
	logging := ""
	if i%10 == 0 { // few projects name a driver
		logging = "    logging:\n      driver: json-file\n      options:\n        max-size: 10m\n        max-file: \"3\"\n"
	}
	return fmt.Sprintf(`name: project-%05d

services:
  proxy:
    image: nginx:1.27
    ports:
      - "%d:80"
    depends_on:
      - app
    restart: unless-stopped

  app:
    image: %s
    environment:
      LOG_LEVEL: info
      DATABASE_URL: postgres://shop:${DB_PASSWORD:-shop}@db:5432/shop
    volumes:
      - uploads:/srv/uploads
    depends_on:
      db:
        condition: service_healthy
%s
  db:
    image: postgres:17
    environment:
      POSTGRES_USER: shop
      POSTGRES_PASSWORD: ${DB_PASSWORD:-shop}
    volumes:
      - data:/var/lib/postgresql/data
    healthcheck:
      test: ["CMD-SHELL", "pg_isready -U shop"]
      interval: 10s
      retries: 5

volumes:
  uploads:
  data:
`, i, 20000+i%20000, all[i%len(all)], logging)
}
