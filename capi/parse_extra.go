package capi

func (p *parser) appData(a *AppData) {
	p.members(func(name string) bool {
		switch name {
		case "advertiser_tracking_enabled":
			a.AdvertiserTrackingEnabled = p.flag()
		case "application_tracking_enabled":
			a.ApplicationTrackingEnabled = p.flag()
		case "campaign_ids":
			a.CampaignIDs = p.text()
		case "consider_views":
			a.ConsiderViews = p.flag()
		case "extinfo":
			a.ExtInfo = p.texts()
		case "include_dwell_data":
			a.IncludeDwellData = p.flag()
		case "include_video_data":
			a.IncludeVideoData = p.flag()
		case "install_referrer":
			a.InstallReferrer = p.text()
		case "installer_package":
			a.InstallerPackage = p.text()
		case "receipt_data":
			a.ReceiptData = p.text()
		case "url_schemes":
			a.URLSchemes = p.texts()
		case "vendor_id":
			a.VendorID = p.text()
		case "windows_attribution_id":
			a.WindowsAttributionID = p.text()
		default:
			return false
		}
		return true
	})
}

func (p *parser) originalEventData(o *OriginalEventData) {
	p.members(func(name string) bool {
		switch name {
		case "event_id":
			o.EventID = p.text()
		case "event_name":
			o.EventName = p.text()
		case "event_time":
			o.EventTime = p.integer().Value
		case "order_id":
			o.OrderID = p.text()
		default:
			return false
		}
		return true
	})
}

func (p *parser) attributionData(a *AttributionData) {
	p.members(func(name string) bool {
		switch name {
		case "ad_id":
			a.AdID = p.text()
		case "attribution_share":
			a.AttributionShare = p.decimal()
		case "attribution_value":
			a.AttributionValue = p.decimal()
		case "touchpoint_ts":
			a.TouchpointTS = p.integer().Value
		default:
			if _, known := attributionKeys[name]; !known {
				return false
			}
			a.Properties = p.property(a.Properties, name)
		}
		return true
	})
}

func (p *parser) storeData(s *StoreData) {
	p.members(func(name string) bool {
		switch name {
		case "brand_page_id":
			s.BrandPageID = p.text()
		case "store_code":
			s.StoreCode = p.text()
		case "store_page_id":
			s.StorePageID = p.text()
		default:
			return false
		}
		return true
	})
}
