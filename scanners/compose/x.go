package compose

import (
	_ "github.com/compose-spec/compose-go/v2/dotenv"
	_ "github.com/compose-spec/compose-go/v2/loader"
	_ "github.com/compose-spec/compose-go/v2/override"
	_ "github.com/compose-spec/compose-go/v2/transform"
	_ "github.com/compose-spec/compose-go/v2/types"
	_ "go.yaml.in/yaml/v4"
)
