package policytool

import "strings"

// verbs is what the first verb of a name says of its tool.
var verbs = map[Kind][]string{
	Read: strings.Fields(`get list search find fetch read show describe view lookup retrieve count check inspect
		explain analyse analyze validate verify compare diff status log logs info whoami preview summarise summarize
		poll wait watch monitor scan lint audit resolve suggest recommend introspect browse crawl scrape extract map
		snapshot screenshot capture estimate calculate discover detect learn help docs ping health stats schema
		history query tail recall observe ask open transcribe plan echo export dry`),
	Write: strings.Fields(`create add update edit set put post patch write insert upsert save store append rename
		move copy upload send reply message comment assign transition tag label star follow invite register configure
		enable disable mute dismiss mark schedule commit push merge fork clone init import attach link fill click type
		drag press select hover submit approve reject close reopen archive restore generate design draft publish
		remember switch checkout pull download provision connect convert change replace toggle pin lock apply resize
		place cancel accept finalize finalise issue manage modify sync share make`),
	Execute: strings.Fields(`run execute exec eval evaluate invoke call trigger deploy launch start stop restart
		rerun reboot build rollback migrate recreate spawn navigate install rebase pause resume shell bash terminal
		command perform train compile`),
	Destructive: strings.Fields(`delete remove drop destroy purge wipe truncate erase clear prune reset uninstall
		revoke terminate flush empty kill overwrite expunge deprovision rm`),
	Financial: strings.Fields(`pay refund charge purchase buy sell trade withdraw payout swap stake donate tip
		reimburse bid mint`),
}

var (
	// alsoNouns count as verbs in first place only, unless nothing else is found.
	alsoNouns = strings.Fields(`check order call start log map tag label star record charge open plan output query
		search schema status comment message run build monitor watch trade position help support type press select
		set post link store move request close lock pin level share draft mark logs info history stats command bid tip
		stake snapshot screenshot shell terminal design schedule capture`)
	// smallThings are removed without harm.
	smallThings = strings.Fields(`label tag reaction member assignee filter follower`)
	// resultNouns end the name of a tool that only looks at what others did.
	resultNouns = strings.Fields(`status result results history log logs stats info details state`)

	moneyNouns = strings.Fields(`payment refund invoice payout subscription charge billing fund checkout purchase
		trade claim dispute withdrawal deposit wallet loan payroll`)
	weakMoneyNouns = strings.Fields(`order transaction transfer balance card position credit`)
	// notices are told of money and move none.
	notices = strings.Fields(`notification event topic webhook pubsub feed`)

	codeParameters = strings.Fields(`sql cypher command cmd script code shell javascript`)
)
