package graphtool_test
import ("testing";"fmt";"sluice/internal/graphtool")
func TestZZ(t *testing.T){ for _,n:=range []string{"meta_create_campaign","meta_create_adset","meta_get_ad_preview","meta_get_ad_study_results"} { d,_:=graphtool.Named(n).Definition(); fmt.Println(len(d), string(d)) } }
