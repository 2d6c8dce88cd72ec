package aws
import ("testing";"fmt")
func TestZZ(t *testing.T){ set:=whole(t, estate{}.answer, Filter{}); fmt.Println(written(t,set)[:3000]) }
