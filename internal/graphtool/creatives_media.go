package graphtool

import (
	"context"
	"errors"

	"sluice/internal/graphtool/tool"
)

const adVideoFields = "id,title,description,length,created_time,updated_time,permalink_url,picture"

var mediaTools = []*tool.Tool{
	{
		Name: "meta_list_ad_images", Title: "List Ad Images", Set: "ads.read",
		Does: "List the pictures in an ad account's library, with hash, size and address.",
		Use:  "Use it to find the image_hash that meta_create_ad_creative takes. For a new picture use meta_upload_ad_image.",
		Note: "Creatives refer to pictures by hash, not by id. Addresses run out.",
		Args: tool.Join([]tool.Arg{
			adAccount("Ad account whose pictures to list."),
			tool.Strings("hashes", "Only these pictures."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "adimages", Fields: "id,hash,name,url,width,height,status,created_time"}},
		Out:   tool.Out{Heading: "Pictures of {ad_account_id}", Columns: []string{"hash", "name", "width", "height", "status"}},
		Cases: []tool.Case{
			{Name: "all", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.hash", "data.0.width"}},
			{Name: "by hash", Args: `{"ad_account_id":"act_3000000000000001","hashes":["5f1a1e0000000000000000000000aa01"]}`, Asks: []string{`GET /act_3000000000000001/adimages hashes=["5f1a1e0000000000000000000000aa01"]`}, Has: []string{"data.0.hash=5f1a1e0000000000000000000000aa01"}},
			{Name: "limit of nothing", Args: `{"ad_account_id":"act_3000000000000001","limit":0}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_upload_ad_image", Title: "Upload Ad Image", Set: "ads.write",
		Does: "Add a picture to an ad account's library from a local file, an address or Base64, or copy it from another account.",
		Use:  "Before meta_create_ad_creative with image_hash. A public address needs no upload: give it there as image_url.",
		Note: "JPEG or PNG up to 30 MB; the file has to lie in the configured folder for uploads. The same picture gives the same hash again. Meta takes no address here: what stands at url is downloaded by this server, from public places only.",
		Args: []tool.Arg{
			adAccount("Ad account to store it in."),
			tool.Upload("image_path", "image/jpeg image/png", "Path of the picture inside the folder for uploads.").Max(30 << 20).To("filename"),
			tool.Text("bytes", "The picture as Base64, without the data: prefix.").Max(8 << 20),
			tool.Object("copy_from", "Picture of another ad account.",
				tool.ID("source_account_id", "AdAccount", "Account that has it.").Digits(), tool.Text("hash", "Its hash.").Max(64).Req()),
			tool.Text("name", "Name in the library.").Max(255),
			tool.URL("url", "Public https address of the picture.").Fetched("filename", "image/jpeg image/png", 30<<20),
		},
		Rules: []tool.Rule{tool.AtMostOne("image_path", "bytes", "copy_from", "url")},
		AnyOf: []string{"image_path bytes copy_from url"}, Shape: oneImage,
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adimages"}},
		Out:   tool.Out{Heading: "Picture {hash}", Members: "hash url:url name width:int height:int", Drop: []string{"images"}},
		Cases: []tool.Case{
			{Name: "a file", Args: `{"ad_account_id":"act_3000000000000001","image_path":"picture.png"}`, Asks: []string{"POST /act_3000000000000001/adimages"}, Has: []string{"data.hash", "data.url"}},
			{Name: "Base64", Args: `{"ad_account_id":"act_3000000000000001","bytes":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==","name":"dot"}`, Has: []string{"data.hash"}},
			{
				Name: "an address", Args: `{"ad_account_id":"act_3000000000000001","url":"https://cdn.example.com/a.png?size=2","name":"Scarf"}`, Settings: fetches("\x89PNG\r\n\x1a\n"),
				Asks: []string{"POST /act_3000000000000001/adimages filename=@a.png name=Scarf"}, Has: []string{"data.hash", "data.url"},
			},
			{Name: "an address of no picture", Args: `{"ad_account_id":"act_3000000000000001","url":"https://shop.example.com/"}`, Settings: fetches("<html>"), Error: "upload_refused", Says: []string{"image/png"}, Asks: []string{}},
			{Name: "an address that leads nowhere", Args: `{"ad_account_id":"act_3000000000000001","url":"https://cdn.example.com/a.png"}`, Settings: fetches(""), Error: "upload_refused", Says: []string{"cdn.example.com"}, Asks: []string{}},
			{Name: "an address, where none is fetched", Args: `{"ad_account_id":"act_3000000000000001","url":"https://cdn.example.com/a.jpg"}`, Error: "unsupported", Says: []string{"download"}, Asks: []string{}},
			{Name: "address and file", Args: `{"ad_account_id":"act_3000000000000001","url":"https://cdn.example.com/a.jpg","image_path":"picture.png"}`, Error: "argument_invalid", Says: []string{"url"}, Asks: []string{}},
			{Name: "outside the folder", Args: `{"ad_account_id":"act_3000000000000001","image_path":"../secret.png"}`, Error: "upload_refused", Asks: []string{}},
			{Name: "no picture", Args: `{"ad_account_id":"act_3000000000000001","image_path":"notes.txt"}`, Error: "upload_refused", Asks: []string{}},
		},
	},
	{
		Name: "meta_list_ad_videos", Title: "List Ad Videos", Set: "ads.read",
		Does: "List the videos in an ad account's library, with title, length and preview picture.",
		Use:  "Use it to find a video_id for meta_create_ad_creative. Whether one is ready says meta_get_ad_video.",
		Note: "length is in seconds.",
		Args: tool.Join([]tool.Arg{adAccount("Ad account whose videos to list.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "advideos", Fields: adVideoFields + ",thumbnails{uri,is_preferred}"}},
		Out:   tool.Out{Heading: "Videos of {ad_account_id}", Columns: []string{"id", "title", "length", "created_time"}},
		Cases: []tool.Case{
			{Name: "all", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.length", "data.0.title"}},
			{Name: "no account", Args: `{"ad_account_id":""}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_video", Title: "Get Ad Video Status", Set: "ads.read",
		Does: "Read one video of an ad account: whether Meta has processed it, its length and preview pictures.",
		Use:  "After meta_upload_ad_video, until status.video_status is ready; then use it in meta_create_ad_creative.",
		Note: "video_status is processing, ready or error. is_instagram_eligible says whether Instagram takes it.",
		Args: []tool.Arg{tool.ID("video_id", "AdVideo", "Video to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdVideo", ID: "video_id",
			Fields: adVideoFields + ",status{video_status,processing_progress},is_instagram_eligible,thumbnails{uri,is_preferred}",
		}},
		Out: tool.Out{Heading: "Video {title}"},
		Cases: []tool.Case{
			{Name: "a ready one", Args: `{"video_id":"3500000000000001"}`, Has: []string{"data.status.video_status=ready"}},
			{Name: "unknown", Args: `{"video_id":"3599999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_upload_ad_video", Title: "Upload Ad Video", Set: "ads.write",
		Does: "Add a video to an ad account's library, from a public address that Meta fetches or from a local file in pieces.",
		Use:  "Before meta_create_ad_creative with video_id. For a video on the Page use meta_create_video_post; whether it is ready says meta_get_ad_video.",
		Note: "Meta still processes the video after the answer: with wait the call stays until it is ready, for up to five minutes. Local files have to lie in the configured folder for uploads.",
		Args: []tool.Arg{
			adAccount("Ad account to store it in."),
			tool.URL("file_url", "Public address of the video; it has to stay reachable until the video is processed."),
			tool.Upload("video_path", "video/mp4 video/quicktime", "Path of the video inside the folder for uploads.").Local(),
			tool.Text("title", "Title.").Max(255),
			tool.Text("description", "Description.").Max(5000),
			tool.Bool("wait", "Wait until it is ready.").Local(),
		},
		OneOf: []string{"file_url video_path"}, Category: tool.Write, Severity: tool.Medium,
		Flow: adVideoFlow{}, Scopes: []string{"ads_management"},
		Out: tool.Out{Heading: "Video {id}", Members: "id:id video_status"},
		Cases: []tool.Case{
			{Name: "from an address", Args: `{"ad_account_id":"act_3000000000000001","file_url":"https://cdn.example.com/film.mp4","title":"Film"}`, Asks: []string{"POST /act_3000000000000001/advideos file_url=https://cdn.example.com/film.mp4 title=Film"}, Has: []string{"data.id"}},
			{Name: "from a file, until it is ready", Args: `{"ad_account_id":"act_3000000000000001","video_path":"film.mp4","wait":true}`, Has: []string{"data.id", "data.video_status=ready"}},
			{Name: "both", Args: `{"ad_account_id":"act_3000000000000001","video_path":"film.mp4","file_url":"https://cdn.example.com/film.mp4"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "no film", Args: `{"ad_account_id":"act_3000000000000001","video_path":"picture.png"}`, Error: "upload_refused", Asks: []string{}},
		},
	},
}

// fetches stands in for the network: what is found at every address, or nothing.
func fetches(body string) func(*tool.Settings) {
	return func(s *tool.Settings) {
		s.Fetch = func(context.Context, string, int64) ([]byte, error) {
			if body == "" {
				return nil, errors.New("cdn.example.com does not answer")
			}
			return []byte(body), nil
		}
	}
}
