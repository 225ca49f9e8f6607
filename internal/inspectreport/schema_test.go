package inspectreport

import (
	"testing"

	"github.com/natsops/natsops/internal/schematest"
)

const schemas = "../../docs/reference/schemas/"

func TestTheSchemasDescribeEveryFieldAndNoOther(t *testing.T) {
	schematest.Describes[Lag](t, schemas+"natsops.lag.v1.schema.json")
	schematest.Describes[Doctor](t, schemas+"natsops.doctor.v1.schema.json")
	schematest.Describes[Letters](t, schemas+"natsops.dlq.v1.schema.json")
	schematest.Describes[Redrive](t, schemas+"natsops.redrive.v1.schema.json")
}
